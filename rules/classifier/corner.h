// A packet that a rule matches and that few others do: what is open in the rule is, as far as can be, something that no rule
// names. Whatever covers the rule matches its corner too. corner() is the only way in.
#pragma once

#include <optional>

#include "rules/classifier/entry.h"
#include "rules/policy.h"

namespace rules::classifier {

// Nothing where the rule matches no packet of this family. `interface` as in Pattern.
template <typename F>
std::optional<Point<F>> corner(const Match& match, std::optional<InterfaceId> interface);

}  // namespace rules::classifier
