// The grammar of one rule, the same in the policy file and on the command line:
//     ACTION [in|out] [on IFACE] [proto P[,P...] [type T]] [from A [port LIST]] [to A [port LIST]]
//            [rate N/30s] [log|log none|log sample N] [comment "..."]
// and the short form, where LIST or LIST/P stands for the destination's port. The clauses may come
// in any order.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rules/ast.h"
#include "rules/cursor.h"

namespace rules {

std::optional<Action> action_by_name(std::string_view name);
std::optional<Direction> direction_by_name(std::string_view name);

// From the action to the end of the line. Nothing after an error, which is in the cursor's report.
std::optional<ast::Rule> parse_rule_statement(Cursor& cursor);

// `reads` "6/30s"; units are s, m, h. At most 65535 in at most a day.
std::optional<Rate> parse_rate(std::string_view text);

// LIST: words between commas.
bool parse_list(Cursor& cursor, std::string_view what, std::vector<ast::Word>& words);

}  // namespace rules
