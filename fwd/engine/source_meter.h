// Which sources send too much to one queue. Fixed room and no allocation, whatever the addresses:
// sources that share a place take from each other's count, so that a lone heavy one stands out of any
// number of forged ones. A count is never more than what the source has sent.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <vector>

#include "rules/address.h"

namespace fwd::engine {

class SourceMeter {
 public:
  // `above`: packets a second; 0 counts nothing.
  explicit SourceMeter(std::uint32_t above) : above_(above), seed_(std::random_device{}()) {}

  // By the worker's thread; `now` in any clock that doesn't step back.
  void count(const rules::Address& source, std::chrono::nanoseconds now) noexcept;

  // Sources that have sent more than that in one second, since the last call. Any thread.
  std::vector<rules::Address> take_heavy();

 private:
  static constexpr std::size_t kPlaces = 1024;
  struct Place {
    rules::Address source;
    std::int64_t second = -1;
    std::uint32_t packets = 0;
  };

  Place& place_of(const rules::Address& source, std::int64_t second) noexcept;
  void report(const rules::Address& source) noexcept;

  const std::uint32_t above_;
  const std::uint64_t seed_;  // so that nobody can aim at another one's place
  std::array<Place, kPlaces> places_;

  std::mutex mutex_;  // of the next two
  std::array<rules::Address, 64> heavy_;
  std::size_t heavy_count_ = 0;
};

}  // namespace fwd::engine
