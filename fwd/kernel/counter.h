// A count that one thread adds to and any thread reads: no locked instruction, no lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace fwd::kernel {

class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace fwd::kernel
