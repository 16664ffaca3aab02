// Syntax tree to policy: names looked up, sets expanded, defaults filled in. resolve() is the only
// way to make a Policy.
#pragma once

#include <cstddef>
#include <expected>
#include <vector>

#include "rules/ast.h"
#include "rules/expect.h"
#include "rules/policy.h"
#include "rules/services.h"

namespace rules {

// An `include` statement: its line in the main file, and how many rules stand before what it brings.
struct IncludePlace {
  std::size_t line = 0;
  std::size_t rules_before = 0;

  bool operator==(const IncludePlace&) const = default;
};

// What a policy's text has beside what a packet is judged by.
struct Outline {
  std::vector<Expect> expects;  // for check_expects(): they need the compiled rule set
  std::vector<IncludePlace> includes;
};

struct Resolved {
  Policy policy;
  Outline outline;
  std::vector<Diagnostic> warnings;
};

// The result has the document's sources, and points into nothing else. At most 20 errors.
std::expected<Resolved, std::vector<Diagnostic>> resolve(const ast::Document& document,
                                                         const Services& services);

// One rule of a command line in the light of a policy's sets.
std::expected<Rule, Diagnostic> resolve_rule(const ast::Rule& rule, const Policy& policy,
                                             const Services& services);

}  // namespace rules
