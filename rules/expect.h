// `expect` statements: claims about a policy that are checked each time before it is used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/ast.h"
#include "rules/names.h"
#include "rules/packet.h"
#include "rules/policy.h"
#include "rules/rule_set.h"

namespace rules {

// A claim with its names looked up: the first packet of a connection, and what is expected for it.
struct Expect {
  Action action = Action::Deny;
  Direction direction = Direction::In;
  std::optional<std::string> interface;
  Packet packet;
  bool any_source_port = false;  // the packet has some ephemeral port
  Location where;
};

std::optional<Expect> resolve_expect(const ast::Expect& expect, const Names& names);

// One error for each claim that is false, or that the interface or the source port would decide and
// that doesn't name it. `expect allow` also holds where the policy says limit. `rule_set` is
// compile(policy).
std::vector<Diagnostic> check_expects(const Policy& policy, const std::vector<Expect>& expects,
                                      const RuleSet& rule_set);

}  // namespace rules
