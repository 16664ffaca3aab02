// One thread per queue: takes packets in batches, judges them by the published snapshot, counts,
// records, answers. Per packet it allocates nothing, locks nothing, formats nothing; per batch it
// makes one receive and one send.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fwd/engine/counters.h"
#include "fwd/engine/interface_cache.h"
#include "fwd/engine/pace.h"
#include "fwd/engine/record_sink.h"
#include "fwd/engine/snapshot.h"
#include "fwd/engine/source_meter.h"
#include "fwd/kernel/packet_source.h"

namespace fwd::engine {

class Worker {
 public:
  // `board` and `sink` must outlive the worker.
  Worker(unsigned number, std::unique_ptr<kernel::PacketSource> source, const SnapshotBoard& board,
         RecordSink& sink, std::uint32_t shed_above = 0);

  // Until stop(), or until the source fails; then its heart has stopped for good.
  void run() noexcept;
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }

  // One batch, or one tick without packets. False when the source has failed.
  bool step() noexcept;

  // Held from the choice of the policy to the sending of the verdicts.
  std::timed_mutex& batch_mutex() noexcept { return batch_mutex_; }

  std::vector<rules::Address> take_heavy_sources() { return sources_.take_heavy(); }

  const WorkerCounters& counters() const noexcept { return counters_; }
  const kernel::SourceCounters& source_counters() const noexcept { return source_->counters(); }
  std::uint16_t queue() const noexcept { return source_->number(); }

  // CLOCK_MONOTONIC when it last came round; zero before the first time.
  std::chrono::nanoseconds heartbeat() const noexcept;
  // No policy older than that of this snapshot is used or counted on any more.
  std::uint64_t snapshot_in_use() const noexcept;
  // errno of what the source failed with; 0 while it works.
  int failure() const noexcept { return failure_.load(std::memory_order_acquire); }

 private:
  void refresh();
  void judge_batch(std::span<const kernel::QueuedPacket> packets,
                   std::chrono::nanoseconds received) noexcept;
  void read_packets(std::span<const kernel::QueuedPacket> packets) noexcept;
  void ask_rules(std::size_t packets) noexcept;
  void push_records(std::span<const kernel::QueuedPacket> packets, std::size_t wanted) noexcept;
  rules::InterfaceId interface_of(const kernel::QueuedPacket& packet) noexcept;
  void count(const audit::VerdictRecord& record, rules::Direction hook) noexcept;
  void count_connection(const Judgement& judgement) noexcept;
  void finish() noexcept;

  const unsigned number_;
  const std::unique_ptr<kernel::PacketSource> source_;
  const SnapshotBoard& board_;
  RecordSink& sink_;

  std::shared_ptr<const Snapshot> snapshot_;
  InterfaceCache unknown_interfaces_;
  SourceMeter sources_;
  Pace pace_;
  // The batch, by packet.
  std::array<QueuedHeader, kernel::kBatchPackets> headers_;
  std::array<audit::VerdictRecord, kernel::kBatchPackets> records_;
  std::array<std::uint8_t, kernel::kBatchPackets>
      recorded_;  // whose packet's the wanted records are
  std::array<kernel::Verdict, kernel::kBatchPackets> verdicts_;

  std::timed_mutex batch_mutex_;
  WorkerCounters counters_;
  std::atomic<std::int64_t> heartbeat_ns_{0};
  std::atomic<std::uint64_t> snapshot_in_use_{0};
  std::atomic<int> failure_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace fwd::engine
