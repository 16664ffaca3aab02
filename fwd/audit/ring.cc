#include "fwd/audit/ring.h"

#include <algorithm>
#include <bit>
#include <thread>

namespace fwd::audit {
namespace {

// A counter with a single writer needs no locked instruction.
template <typename Counter>
void add_one(Counter& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace

Ring::Ring(std::size_t capacity, std::uint64_t& decided)
    : slots_(std::bit_ceil(std::max<std::size_t>(capacity, 1))),
      mask_(slots_.size() - 1),
      decided_(decided) {}

bool Ring::has_room() noexcept {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (head - known_tail_ == slots_.size()) known_tail_ = tail_.load(std::memory_order_acquire);
  return head - known_tail_ < slots_.size();
}

bool Ring::push(const VerdictRecord& record) noexcept {
  add_one(decided_);
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (!has_room()) {
    lose(record.realtime_ns);
    return false;
  }
  slots_[head & mask_] = record;
  // Sequentially consistent, so that of a producer that then asks whether the consumer sleeps, and
  // a consumer that says it will and then looks for records, at least one sees the other.
  head_.store(head + 1, std::memory_order_seq_cst);
  return true;
}

void Ring::lose(std::int64_t realtime_ns) noexcept {
  const std::uint64_t lost = lost_.load(std::memory_order_relaxed);
  add_one(losing_);
  if (acknowledged_.load(std::memory_order_acquire) == lost) {
    lost_from_ns_.store(realtime_ns, std::memory_order_release);
  }
  lost_to_ns_.store(realtime_ns, std::memory_order_release);
  add_one(lost_);
}

void Ring::release(std::uint64_t count) noexcept {
  tail_.store(tail() + count, std::memory_order_release);
}

std::optional<Loss> Ring::losses() const noexcept {
  const std::uint64_t acknowledged = acknowledged_.load(std::memory_order_relaxed);
  while (true) {
    const std::uint64_t lost = lost_.load(std::memory_order_acquire);
    if (lost == acknowledged) return std::nullopt;
    const std::int64_t from = lost_from_ns_.load(std::memory_order_acquire);
    const std::int64_t to = lost_to_ns_.load(std::memory_order_acquire);
    if (losing_.load(std::memory_order_acquire) == lost) {
      // A loss between losses() and acknowledge() keeps the old beginning, which the last report
      // has covered.
      return Loss{lost - acknowledged, std::max(from, acknowledged_to_ns_), to};
    }
    std::this_thread::yield();
  }
}

void Ring::acknowledge(const Loss& loss) noexcept {
  acknowledged_to_ns_ = loss.to_ns;
  acknowledged_.store(acknowledged_.load(std::memory_order_relaxed) + loss.count,
                      std::memory_order_release);
}

// The producer counts a record as decided before it puts or loses it: the moment that is reported
// is one between two records.
RingCounts Ring::counts() const noexcept {
  while (true) {
    const std::uint64_t decided = decided_.load(std::memory_order_acquire);
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    const std::uint64_t lost = lost_.load(std::memory_order_acquire);
    const std::uint64_t settled = tail_.load(std::memory_order_acquire);
    if (decided == head + lost) return {decided, lost, head - settled, settled};
    std::this_thread::yield();
  }
}

}  // namespace fwd::audit
