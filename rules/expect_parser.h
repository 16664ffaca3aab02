// The grammar of an expectation:
//     expect ACTION [in|out] PROTO SOURCE [port N] to DESTINATION [port N] [type T] [on IFACE]
#pragma once

#include <optional>

#include "rules/ast.h"
#include "rules/cursor.h"

namespace rules {

// From `expect` to the end of the line. Nothing after an error, which is in the cursor's report.
std::optional<ast::Expect> parse_expect_statement(Cursor& cursor);

}  // namespace rules
