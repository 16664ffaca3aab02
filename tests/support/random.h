// Choices that a seed repeats.
#pragma once

#include <cstdint>
#include <iterator>
#include <random>

namespace tests {

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_{seed} {}

  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(random_);
  }
  bool one_in(unsigned n) { return below(n) == 0; }
  template <typename Items>
  const auto& pick(const Items& items) {
    return items[below(std::size(items))];
  }

  std::uint64_t bits() { return random_(); }

 private:
  std::mt19937_64 random_;
};

}  // namespace tests
