// The engine: a worker per queue, and the one way to change what they judge by. Order of use:
// construct, publish() the first policy, start(). The methods may be called by any thread but a
// worker's own.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fwd/engine/counters.h"
#include "fwd/engine/record_sink.h"
#include "fwd/engine/rule_totals.h"
#include "fwd/engine/snapshot.h"
#include "fwd/engine/worker.h"
#include "fwd/kernel/packet_source.h"
#include "fwd/system_error.h"

namespace fwd::engine {

// No worker judges a packet while this lives: each stands before its next batch.
class Hold {
 public:
  explicit Hold(std::vector<std::unique_lock<std::timed_mutex>> locks, bool complete)
      : locks_(std::move(locks)), complete_(complete) {}

  // False when a worker didn't come to the end of its batch in time; that one isn't held.
  bool complete() const { return complete_; }

 private:
  std::vector<std::unique_lock<std::timed_mutex>> locks_;
  bool complete_;
};

// Connections that have come in, by what became of them.
struct ServiceTotals {
  std::string service;
  std::array<std::uint64_t, kActions> connections{};  // by rules::Action
};

struct QueueTotals {
  std::uint16_t queue = 0;
  std::uint64_t packets = 0;
  std::uint64_t overruns = 0;  // SourceCounters, as numbers
  std::uint64_t truncated = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t unsent = 0;
  std::uint64_t send_retries = 0;
  std::uint64_t gone = 0;
  std::uint64_t refused = 0;
  int failure = 0;  // errno that ended the worker; 0 while it works
};

class Engine {
 public:
  // `sink` must outlive the engine. `shed_above`: packets a second of one source to one queue; 0 for
  // any number.
  Engine(std::vector<std::unique_ptr<kernel::PacketSource>> sources, RecordSink& sink,
         std::uint32_t shed_above = 0);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Result<void> start();
  void stop();  // waits for the workers; at most about one kernel::kTick

  // Every batch that begins from now on is judged by it. ActivePolicy::counters must have
  // worker_count() elements. What was published before is kept until let_go_of_retired().
  void publish(std::shared_ptr<const ActivePolicy> policy);
  // Of those before it, the ones that no worker uses any more. Adds up what their rules have counted, so not while workers are held.
  void let_go_of_retired();
  // All interfaces there are, again whenever they change.
  void publish_interfaces(std::vector<InterfaceName> interfaces);
  std::shared_ptr<const ActivePolicy> policy() const;  // null before the first

  // Waits for each worker at most that long.
  Hold hold(std::chrono::milliseconds bound = std::chrono::milliseconds(200));

  // Whether every worker has come round within this time and none has failed.
  bool healthy(std::chrono::milliseconds max_age) const;

  // Sources that have sent more than that, since the last call.
  std::vector<rules::Address> take_heavy_sources();

  std::size_t worker_count() const { return workers_.size(); }
  PacketTotals packet_totals() const;
  std::vector<ServiceTotals> connection_totals() const;  // "other" first
  std::vector<QueueTotals> queue_totals() const;
  // Of the policy's first `most` rules.
  RuleTotals rule_totals(std::size_t most = std::numeric_limits<std::size_t>::max()) const;
  std::uint64_t packets(const rules::Rule& rule) const;  // that it has decided

 private:
  void post();
  std::uint64_t oldest_snapshot_in_use() const;

  SnapshotBoard board_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;  // of everything below
  std::shared_ptr<const ActivePolicy> policy_;
  std::vector<InterfaceName> interfaces_;
  mutable RuleHistory history_;
  ServiceSlots services_;
  std::uint64_t snapshots_ = 0;
};

}  // namespace fwd::engine
