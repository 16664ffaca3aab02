#include "fwd/engine/snapshot.h"

#include <algorithm>

namespace fwd::engine {

InterfaceMap::InterfaceMap(const rules::RuleSet& rules, const std::vector<InterfaceName>& names) {
  ids_.reserve(names.size());
  for (const auto& [index, name] : names) ids_.emplace_back(index, rules.interface_id(name));
  std::sort(ids_.begin(), ids_.end());
}

std::optional<rules::InterfaceId> InterfaceMap::find(std::uint32_t index) const noexcept {
  const auto found = std::lower_bound(
      ids_.begin(), ids_.end(), index,
      [](const auto& entry, std::uint32_t wanted) { return entry.first < wanted; });
  if (found == ids_.end() || found->first != index) return std::nullopt;
  return found->second;
}

void SnapshotBoard::post(std::shared_ptr<const Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
  number_.store(snapshot_->number, std::memory_order_release);
}

std::shared_ptr<const Snapshot> SnapshotBoard::take() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

}  // namespace fwd::engine
