// The oracle: what a policy means, said as plainly as possible. Slow, and linked only into tests.
#pragma once

#include <string_view>

#include "rules/packet.h"
#include "rules/policy.h"
#include "rules/rule_set.h"

namespace tests {

bool matches(const rules::Match& match, const rules::Packet& packet, rules::Direction direction,
             std::string_view interface);

rules::Decision classify_linearly(const rules::Policy& policy, const rules::Packet& packet,
                                  rules::Direction direction, std::string_view interface);

}  // namespace tests
