#include "fwd/engine/source_meter.h"

namespace fwd::engine {

void SourceMeter::count(const rules::Address& source, std::chrono::nanoseconds now) noexcept {
  if (above_ == 0) return;
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  Place& place = place_of(source, second);
  if (place.second != second || place.packets == 0) {
    place = {source, second, 1};
  } else if (place.source != source) {
    --place.packets;
  } else if (++place.packets > above_) {
    report(source);
    place.packets = 0;
  }
}

std::vector<rules::Address> SourceMeter::take_heavy() {
  const std::lock_guard lock(mutex_);
  std::vector<rules::Address> taken(heavy_.begin(), heavy_.begin() + heavy_count_);
  heavy_count_ = 0;
  return taken;
}

// Another place in each second: two heavy sources share one no longer than that.
SourceMeter::Place& SourceMeter::place_of(const rules::Address& source,
                                          std::int64_t second) noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
  std::uint64_t hash = seed_ + static_cast<std::uint64_t>(second);
  for (const std::uint64_t part : {source.high, source.low}) {
    hash = (hash ^ part) * kOdd;
    hash ^= hash >> 32;
  }
  return places_[hash % kPlaces];
}

// Once in as many packets as are too many; what has no room, or would have to wait, comes again.
void SourceMeter::report(const rules::Address& source) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && heavy_count_ < heavy_.size()) heavy_[heavy_count_++] = source;
}

}  // namespace fwd::engine
