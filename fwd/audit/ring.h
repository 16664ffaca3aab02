// A bounded queue of records from one thread to one other. The producer neither locks, allocates
// nor calls the kernel; what doesn't fit is counted together with the time it fell into.
//
// For whoever looks, at any moment: decided == settled + lost + waiting, each counted on its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "fwd/audit/record.h"

namespace fwd::audit {

struct RingCounts {
  std::uint64_t decided = 0;  // records that the producer came with
  std::uint64_t lost = 0;     // of which didn't fit
  std::uint64_t waiting = 0;
  std::uint64_t settled = 0;  // released by the consumer
};

// Losses since the last acknowledge(). Times are those of the records that were lost.
struct Loss {
  std::uint64_t count = 0;
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
};

class Ring {
 public:
  // The capacity is rounded up to a power of two. `decided` counts the records that come: the
  // producer's own cache line, which may outlive the process. It is 0 at first.
  Ring(std::size_t capacity, std::uint64_t& decided);

  // Producer. How many of the records fitted, the first ones; the others are counted as lost.
  std::size_t push(std::span<const VerdictRecord> records) noexcept;
  bool push(const VerdictRecord& record) noexcept { return push({&record, 1}) == 1; }

  bool has_room() noexcept { return room_for(1) == 1; }

  // Consumer. Positions count records since the beginning: those from tail() to head() wait.
  std::uint64_t head() const noexcept { return head_.load(std::memory_order_seq_cst); }
  std::uint64_t tail() const noexcept { return tail_.load(std::memory_order_relaxed); }
  const VerdictRecord& at(std::uint64_t position) const noexcept {
    return slots_[position & mask_];
  }
  void release(std::uint64_t count) noexcept;
  std::optional<Loss> losses() const noexcept;
  void acknowledge(const Loss& loss) noexcept;

  // Anybody, as long as nothing is released meanwhile.
  RingCounts counts() const noexcept;

 private:
  static constexpr std::size_t kCacheLine = 64;

  std::size_t room_for(std::size_t records) noexcept;  // at most so many
  void lose(std::int64_t realtime_ns) noexcept;

  const std::uint64_t mask_;  // of positions, the capacity less one
  struct Unmap {
    std::size_t bytes;
    void operator()(VerdictRecord* slots) const noexcept;
  };
  static VerdictRecord* map(std::size_t bytes);

  // Mapped, so that what no record has been put into takes no memory. calloc() may find room among what was freed, and
  // fills that.
  const std::unique_ptr<VerdictRecord[], Unmap> slots_;

  // Written by the producer.
  alignas(kCacheLine) std::atomic_ref<std::uint64_t> decided_;
  std::atomic<std::uint64_t> head_{0};
  std::uint64_t known_tail_ = 0;
  std::atomic<std::uint64_t> losing_{0};  // runs ahead of lost_ while the times are being written
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::int64_t> lost_from_ns_{0};
  std::atomic<std::int64_t> lost_to_ns_{0};

  // Written by the consumer.
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
  std::atomic<std::uint64_t> acknowledged_{0};  // of lost_
  std::int64_t acknowledged_to_ns_ = 0;
};

}  // namespace fwd::audit
