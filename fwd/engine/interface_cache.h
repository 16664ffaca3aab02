// Interfaces that the control thread hasn't told us of yet: the kernel is asked once for each and
// the answer kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "rules/rule_set.h"

namespace fwd::engine {

class InterfaceCache {
 public:
  // By the interface's name; kOtherInterface where it has none.
  rules::InterfaceId find(std::uint32_t index, const rules::RuleSet& rules) noexcept;

  void clear() noexcept { used_ = oldest_ = 0; }

 private:
  struct Entry {
    std::uint32_t index = 0;
    rules::InterfaceId id = rules::kOtherInterface;
  };

  std::array<Entry, 16> entries_;  // the oldest makes room
  std::size_t used_ = 0;
  std::size_t oldest_ = 0;
};

}  // namespace fwd::engine
