// What the engine's tests share: small policies made by hand, a packet source that plays a script,
// a sink that keeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fwd/engine/active_policy.h"
#include "fwd/engine/record_sink.h"
#include "fwd/engine/snapshot.h"
#include "fwd/kernel/packet_source.h"
#include "tests/support/packet_builder.h"

namespace tests {

// A rule for one destination port of TCP. Its id is its action and port: "allow 80".
inline rules::Rule tcp_rule(rules::Action action, std::uint16_t port,
                            rules::Direction direction = rules::Direction::In) {
  rules::Rule rule;
  rule.action = action;
  rule.match.direction = direction;
  rule.match.protocols = {{.number = rules::protocol::kTcp, .icmp_type = {}, .icmp_code = {}}};
  rule.match.destination_ports = {{port, port}};
  if (action == rules::Action::Limit) rule.rate = rules::Rate{};
  rule.id = std::string(to_string(action)) + " " + std::to_string(port);
  return rule;
}

inline rules::Policy policy_of(std::vector<rules::Rule> rules) {
  rules::Policy policy;
  policy.rules = std::move(rules);
  return policy;
}

inline std::shared_ptr<const fwd::engine::ActivePolicy> active(
    rules::Policy policy, std::uint64_t version = 1, fwd::kernel::Generation generation = 1,
    std::size_t workers = 1, fwd::Mode mode = fwd::Mode::Enforce, rules::ServiceMap services = {}) {
  return std::make_shared<const fwd::engine::ActivePolicy>(std::move(policy), version, generation,
                                                           mode, workers, std::move(services));
}

inline std::shared_ptr<const fwd::engine::Snapshot> snapshot(
    std::shared_ptr<const fwd::engine::ActivePolicy> policy, std::uint64_t number = 1,
    const std::vector<fwd::engine::InterfaceName>& names = {}) {
  fwd::engine::InterfaceMap interfaces(policy->rules, names);
  return std::make_shared<const fwd::engine::Snapshot>(fwd::engine::Snapshot{
      number, policy, std::move(interfaces), fwd::engine::ServiceSlots{}.places(policy->services)});
}

// A packet in the queue that owns its bytes.
struct Queued {
  ByteVector bytes;
  fwd::kernel::QueuedPacket packet;

  Queued(std::uint32_t id, fwd::kernel::PacketClass packet_class, ByteVector bytes_in,
         rules::Direction hook = rules::Direction::In)
      : bytes(std::move(bytes_in)) {
    packet.id = id;
    packet.priority = fwd::kernel::encode_class(packet_class);
    packet.hook = hook;
    packet.wire_length = bytes.size();
  }
};

// Gives out one batch per receive() and keeps the verdicts. Without a script left it has nothing,
// or fails if told to.
class ScriptedSource final : public fwd::kernel::PacketSource {
 public:
  void play(std::vector<Queued> batch) { script_.push_back(std::move(batch)); }
  void fail_at_the_end(int error) { error_ = error; }
  const std::vector<fwd::kernel::Verdict>& verdicts() const { return verdicts_; }
  std::size_t sends() const { return sends_; }

  fwd::Result<std::span<const fwd::kernel::QueuedPacket>> receive() override {
    packets_.clear();
    if (script_.empty() && error_ != 0) return fwd::failed("receive", error_);
    if (script_.empty()) return packets_;
    playing_ = std::move(script_.front());
    script_.pop_front();
    for (const auto& queued : playing_) {
      packets_.push_back(queued.packet);
      packets_.back().bytes = queued.bytes;
    }
    return packets_;
  }
  void send(std::span<const fwd::kernel::Verdict> verdicts) noexcept override {
    ++sends_;
    verdicts_.insert(verdicts_.end(), verdicts.begin(), verdicts.end());
  }
  std::uint16_t number() const noexcept override { return 3; }
  const fwd::kernel::SourceCounters& counters() const noexcept override { return counters_; }

 private:
  std::deque<std::vector<Queued>> script_;
  std::vector<Queued> playing_;
  std::vector<fwd::kernel::QueuedPacket> packets_;
  std::vector<fwd::kernel::Verdict> verdicts_;
  std::size_t sends_ = 0;
  int error_ = 0;
  fwd::kernel::SourceCounters counters_;
};

// Gives out the same batch for ever, and counts what it is answered.
class EndlessSource final : public fwd::kernel::PacketSource {
 public:
  explicit EndlessSource(std::vector<Queued> batch) : batch_(std::move(batch)) {
    for (const auto& queued : batch_) {
      packets_.push_back(queued.packet);
      packets_.back().bytes = queued.bytes;
    }
  }

  fwd::Result<std::span<const fwd::kernel::QueuedPacket>> receive() override { return packets_; }
  void send(std::span<const fwd::kernel::Verdict> verdicts) noexcept override {
    answered_.add(verdicts.size());
  }
  std::uint64_t answered() const { return answered_.value(); }
  std::uint16_t number() const noexcept override { return 0; }
  const fwd::kernel::SourceCounters& counters() const noexcept override { return counters_; }

 private:
  std::vector<Queued> batch_;
  std::vector<fwd::kernel::QueuedPacket> packets_;
  fwd::kernel::Counter answered_;
  fwd::kernel::SourceCounters counters_;
};

// Has no packets, and comes round every millisecond unless it hangs.
class HangingSource final : public fwd::kernel::PacketSource {
 public:
  void hang(bool hangs) { hangs_ = hangs; }

  fwd::Result<std::span<const fwd::kernel::QueuedPacket>> receive() override {
    do std::this_thread::sleep_for(std::chrono::milliseconds(1));
    while (hangs_);
    return std::span<const fwd::kernel::QueuedPacket>{};
  }
  void send(std::span<const fwd::kernel::Verdict>) noexcept override {}
  std::uint16_t number() const noexcept override { return 0; }
  const fwd::kernel::SourceCounters& counters() const noexcept override { return counters_; }

 private:
  std::atomic<bool> hangs_{false};
  fwd::kernel::SourceCounters counters_;
};

class KeepingSink final : public fwd::engine::RecordSink {
 public:
  std::size_t push(unsigned, std::span<const fwd::audit::VerdictRecord> some) noexcept override {
    ++pushes;
    const std::size_t fitting = std::min(some.size(), room - records.size());
    records.insert(records.end(), some.begin(),
                   some.begin() + static_cast<std::ptrdiff_t>(fitting));
    return fitting;
  }

  bool unrecorded_may_pass() const noexcept override { return lenient; }

  std::vector<fwd::audit::VerdictRecord> records;
  std::size_t pushes = 0;
  std::size_t room = 1'000'000;
  bool lenient = true;
};

}  // namespace tests
