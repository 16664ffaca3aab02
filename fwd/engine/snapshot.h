// What the control thread hands to the workers: a policy together with the interfaces as that
// policy's rule set numbers them. Replaced whole, never changed. Workers look at one atomic number
// per batch and take the new snapshot when it has moved.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fwd/engine/active_policy.h"
#include "fwd/engine/service_slots.h"

namespace fwd::engine {

struct InterfaceName {
  std::uint32_t index = 0;
  std::string name;
};

// Kernel interface index -> the rule set's number for its name.
class InterfaceMap {
 public:
  InterfaceMap(const rules::RuleSet& rules, const std::vector<InterfaceName>& names);

  // Nothing for an index that wasn't among the names.
  std::optional<rules::InterfaceId> find(std::uint32_t index) const noexcept;

 private:
  std::vector<std::pair<std::uint32_t, rules::InterfaceId>> ids_;  // sorted by index
};

struct Snapshot {
  std::uint64_t number;
  std::shared_ptr<const ActivePolicy> policy;
  InterfaceMap interfaces;
  ServicePlaces services;  // of the policy's ServiceMap
};

class SnapshotBoard {
 public:
  void post(std::shared_ptr<const Snapshot> snapshot);
  std::shared_ptr<const Snapshot> take() const;

  // Of the last one posted; 0 when there was none.
  std::uint64_t number() const noexcept { return number_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace fwd::engine
