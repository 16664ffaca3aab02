// What a worker counts, and how its counts are read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "fwd/engine/judge.h"
#include "fwd/engine/service_slots.h"
#include "fwd/kernel/counter.h"

namespace fwd::engine {

inline constexpr std::size_t kDirections = 2;
inline constexpr std::size_t kActions = 4;
inline constexpr std::size_t kReasons = 8;

// Upper bounds in nanoseconds, inclusive; a last bucket takes what is longer.
inline constexpr std::array<std::uint64_t, 16> kVerdictTimeBounds{
    1'000,   2'000,     5'000,     10'000,    20'000,     50'000,     100'000,    200'000,
    500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 20'000'000, 50'000'000, 100'000'000};

// A count for every hook, action and reason.
template <typename Count>
class PacketTable {
 public:
  using Cells = std::array<Count, kDirections * kActions * kReasons>;

  Count& at(rules::Direction hook, rules::Action action, Reason reason) noexcept {
    return cells_[position(hook, action, reason)];
  }
  const Count& at(rules::Direction hook, rules::Action action, Reason reason) const noexcept {
    return cells_[position(hook, action, reason)];
  }
  const Cells& cells() const noexcept { return cells_; }

  void add(const PacketTable<kernel::Counter>& other) noexcept {
    for (std::size_t at = 0; at < cells_.size(); ++at) cells_[at] += other.cells()[at].value();
  }

 private:
  static constexpr std::size_t position(rules::Direction hook, rules::Action action,
                                        Reason reason) noexcept {
    const auto row = static_cast<std::size_t>(hook) * kActions + static_cast<std::size_t>(action);
    return row * kReasons + static_cast<std::size_t>(reason);
  }

  Cells cells_{};
};

// Of connections that somebody begins, by place of the service and by action.
template <typename Count>
using ServiceTable = std::array<std::array<Count, kActions>, kServices>;

// Written by one worker's thread, read by anybody.
struct WorkerCounters {
  PacketTable<kernel::Counter> packets;
  ServiceTable<kernel::Counter> connections;
  std::array<kernel::Counter, kVerdictTimeBounds.size() + 1> verdict_times;  // packets per bucket
  kernel::Counter verdict_nanoseconds;  // the sum of what the buckets hold
  kernel::Counter batches;
  kernel::Counter records_lost;  // that the sink had no room for

  // From receiving a batch to its verdicts.
  void count_time(std::uint64_t nanoseconds, std::size_t packets_in_batch) noexcept;
};

// The same, as plain numbers at one moment, of one worker or the sum of several.
struct PacketTotals {
  PacketTable<std::uint64_t> packets;
  std::array<std::uint64_t, kVerdictTimeBounds.size() + 1> verdict_times{};
  std::uint64_t verdict_nanoseconds = 0;
  std::uint64_t batches = 0;
  std::uint64_t records_lost = 0;

  void add(const WorkerCounters& worker) noexcept;
  std::uint64_t packet_count() const noexcept;
  // The upper bound of the bucket that holds this share (0 to 1) of the packets; 0 without packets.
  std::chrono::nanoseconds verdict_time(double share) const noexcept;
};

}  // namespace fwd::engine
