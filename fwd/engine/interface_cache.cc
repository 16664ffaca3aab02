#include "fwd/engine/interface_cache.h"

#include <algorithm>

#include <net/if.h>

namespace fwd::engine {

rules::InterfaceId InterfaceCache::find(std::uint32_t index, const rules::RuleSet& rules) noexcept {
  for (std::size_t at = 0; at < used_; ++at) {
    if (entries_[at].index == index) return entries_[at].id;
  }
  std::array<char, IF_NAMESIZE> name{};
  const bool named = if_indextoname(index, name.data()) != nullptr;
  const auto id = named ? rules.interface_id(name.data()) : rules::kOtherInterface;
  entries_[oldest_] = {index, id};
  oldest_ = (oldest_ + 1) % entries_.size();
  used_ = std::min(used_ + 1, entries_.size());
  return id;
}

}  // namespace fwd::engine
