// One rule from syntax to meaning.
#pragma once

#include <optional>

#include "rules/ast.h"
#include "rules/names.h"
#include "rules/policy.h"

namespace rules {

// With its id. Nothing after an error, which is in the names' report.
std::optional<Rule> resolve_rule(const ast::Rule& rule, const Names& names);

}  // namespace rules
