// Which rule does somebody mean who writes `fwctl remove ...`?
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "rules/diagnostic.h"
#include "rules/policy.h"
#include "rules/services.h"

namespace rules {

// A rule's number (from 1), an unambiguous start of its id (at least 4 digits), or the rule as
// text; log and comment of that don't count. Returns the index into Policy::rules. A number that is
// in range is never taken as an id.
std::expected<std::size_t, Diagnostic> select_rule(const Policy& policy, std::string_view selector,
                                                   const Services& services);

}  // namespace rules
