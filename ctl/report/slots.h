// Equal slots of time that widen by themselves, so that there are never many of them.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "ctl/time_text.h"

namespace ctl::report {

inline std::int64_t floor_div(std::int64_t number, std::int64_t by) {
  return number / by - (number % by < 0 ? 1 : 0);
}

// Slots begin at multiples of their length since 1970, in UTC. `Data` has operator+=.
template <class Data>
class Slots {
 public:
  static constexpr std::int64_t kMost = 240;

  // What is at `time`, to be added to.
  Data& at(Time time) {
    cover(time);
    return slots_[index(time)];
  }

  // The slots are to reach as far as `time`, whether there is anything or not.
  void cover(Time time) {
    first_ = covered_ ? std::min(first_, time) : time;
    last_ = covered_ ? std::max(last_, time) : time;
    covered_ = true;
    while (index(last_) - index(first_) >= kMost) widen();
  }

  std::chrono::seconds length() const { return std::chrono::seconds(length_); }
  Time begin() const { return Time(std::chrono::seconds(index(first_) * length_)); }

  // All, without holes.
  std::vector<Data> all() const {
    if (!covered_) return {};
    std::vector<Data> result(static_cast<std::size_t>(index(last_) - index(first_) + 1));
    for (const auto& [slot, data] : slots_)
      result[static_cast<std::size_t>(slot - index(first_))] = data;
    return result;
  }

 private:
  std::int64_t index(Time time) const {
    return floor_div(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(),
                     length_);
  }

  // Each length divides the next one.
  void widen() {
    constexpr std::array<std::int64_t, 12> kLengths{1,   5,    10,   30,    60,    300,
                                                    600, 1800, 3600, 10800, 43200, 86400};
    const auto* const longer = std::ranges::upper_bound(kLengths, length_);
    const std::int64_t next = longer != kLengths.end() ? *longer : length_ * 7;
    std::map<std::int64_t, Data> wider;
    for (const auto& [slot, data] : slots_) wider[floor_div(slot, next / length_)] += data;
    slots_ = std::move(wider);
    length_ = next;
  }

  std::int64_t length_ = 1;  // seconds
  std::map<std::int64_t, Data> slots_;
  bool covered_ = false;
  Time first_;
  Time last_;
};

}  // namespace ctl::report
