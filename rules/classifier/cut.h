// A rule cut into entries: cut() is the only way in. A list is cut into its members while there are few; a long one is
// one entry that spans them all, with the list among its checks.
#pragma once

#include <optional>
#include <vector>

#include "rules/classifier/condition.h"
#include "rules/classifier/entry.h"
#include "rules/policy.h"

namespace rules::classifier {

// At most this many entries come of one rule in each family.
inline constexpr std::size_t kMostPieces = 16;

// Appends the entries to `entries`, without label. Each holds its condition until give_back().
template <typename F>
void cut(const Match& match, std::optional<InterfaceId> interface, AddressIndexes& indices,
         Conditions& conditions, std::vector<Entry<F>>& entries);

}  // namespace rules::classifier
