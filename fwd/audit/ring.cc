#include "fwd/audit/ring.h"

#include <algorithm>
#include <bit>
#include <new>
#include <thread>

#include <sys/mman.h>

namespace fwd::audit {
namespace {

// A counter with a single writer needs no locked instruction.
template <typename Counter>
void add(Counter& counter, std::uint64_t count) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

}  // namespace

Ring::Ring(std::size_t capacity, std::uint64_t& decided)
    : mask_(std::bit_ceil(std::max<std::size_t>(capacity, 1)) - 1),
      slots_(map((mask_ + 1) * sizeof(VerdictRecord)), Unmap{(mask_ + 1) * sizeof(VerdictRecord)}),
      decided_(decided) {}

VerdictRecord* Ring::map(std::size_t bytes) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<VerdictRecord*>(memory);
}

void Ring::Unmap::operator()(VerdictRecord* slots) const noexcept {
  munmap(slots, bytes);
}

std::size_t Ring::room_for(std::size_t records) noexcept {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::uint64_t capacity = mask_ + 1;
  if (capacity - (head - known_tail_) < records)
    known_tail_ = tail_.load(std::memory_order_acquire);
  return std::min<std::size_t>(records, capacity - (head - known_tail_));
}

std::size_t Ring::push(std::span<const VerdictRecord> records) noexcept {
  add(decided_, records.size());
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::size_t fitting = room_for(records.size());
  for (std::size_t at = 0; at < fitting; ++at) slots_[(head + at) & mask_] = records[at];
  // Sequentially consistent, so that of a producer that then asks whether the consumer sleeps, and
  // a consumer that says it will and then looks for records, at least one sees the other.
  if (fitting != 0) head_.store(head + fitting, std::memory_order_seq_cst);
  for (const VerdictRecord& record : records.subspan(fitting)) lose(record.realtime_ns);
  return fitting;
}

void Ring::lose(std::int64_t realtime_ns) noexcept {
  const std::uint64_t lost = lost_.load(std::memory_order_relaxed);
  add(losing_, 1);
  if (acknowledged_.load(std::memory_order_acquire) == lost) {
    lost_from_ns_.store(realtime_ns, std::memory_order_release);
  }
  lost_to_ns_.store(realtime_ns, std::memory_order_release);
  add(lost_, 1);
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

// The producer counts records as decided before it puts or loses them: the moment that is reported
// is one between two batches.
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
