#include "rules/lockout.h"

#include <algorithm>

namespace rules {
namespace {

bool lets_in(const Rule& rule) {
  return rule.match.direction == Direction::In &&
         (rule.action == Action::Allow || rule.action == Action::Limit);
}

}  // namespace

std::optional<Diagnostic> check_lockout(const Policy& policy) {
  if (policy.default_in == Action::Allow || std::ranges::any_of(policy.rules, lets_in))
    return std::nullopt;
  return Diagnostic{Severity::Warning,
                    {},
                    "nothing is let in: no rule allows incoming connections, ssh among them",
                    {},
                    {}};
}

}  // namespace rules
