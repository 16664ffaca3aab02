#include "fwd/engine/worker.h"

#include <algorithm>
#include <limits>
#include <span>
#include <thread>
#include <utility>

#include "fwd/engine/clock.h"

namespace fwd::engine {
namespace {

using kernel::PacketClass;
using kernel::VerdictKind;
using std::chrono::nanoseconds;

constexpr std::uint64_t kNoSnapshot = std::numeric_limits<std::uint64_t>::max();

std::uint32_t saturated(nanoseconds duration) {
  constexpr auto kMost = std::int64_t{std::numeric_limits<std::uint32_t>::max()};
  return static_cast<std::uint32_t>(std::min<std::int64_t>(duration.count(), kMost));
}

kernel::Verdict accept(const kernel::QueuedPacket& packet, const ActivePolicy& active,
                       VerdictKind kind, kernel::LimitSlot slot = 0) {
  const auto verdict = kernel::encode_verdict(kind, active.generation, slot);
  return {packet.id, true, kernel::with_verdict(packet.priority, verdict)};
}

kernel::Verdict answer(const kernel::QueuedPacket& packet, const ActivePolicy& active,
                       const Judgement& judgement) {
  switch (judgement.done()) {
    case Outcome::Drop:
      return {packet.id, false, packet.priority};
    case Outcome::Approve:
      return accept(packet, active, VerdictKind::Approve);
    case Outcome::Pass:
      return accept(packet, active, VerdictKind::Pass);
    case Outcome::Revoke:
      return accept(packet, active, VerdictKind::Revoke);
    case Outcome::Reject:
      return accept(packet, active, VerdictKind::Reject);
    case Outcome::Limit:
      return accept(packet, active, VerdictKind::Limit, active.limit_slot(judgement.decision));
  }
  return {packet.id, false, packet.priority};
}

bool lets_in(const Judgement& judgement) {
  return judgement.done() == Outcome::Approve || judgement.done() == Outcome::Pass;
}

// The one in the packet's own header: a reply is judged turned round.
const rules::Address& sender_of(const audit::VerdictRecord& record) {
  const rules::Packet& packet = record.judgement.packet;
  return record.packet_class == PacketClass::AgainReply ? packet.destination : packet.source;
}

// A record is of a new connection, or of a live one that is cut.
bool wants_record(const audit::VerdictRecord& record, const ActivePolicy& active) {
  const Judgement& judgement = record.judgement;
  if (judgement.reason == Reason::Invalid) return true;
  // How a limit went is told by chain B, through NFLOG.
  if (judgement.outcome == Outcome::Limit) return false;
  switch (record.packet_class) {
    case PacketClass::Again:
    case PacketClass::AgainReply:
      return action_of(judgement.outcome) != rules::Action::Allow &&
             active.recorded(judgement.decision);
    case PacketClass::Related:
      return !is_icmp_error(judgement.packet) && active.recorded(judgement.decision);
    case PacketClass::New:
    case PacketClass::Untracked:
    case PacketClass::Invalid:
      return active.recorded(judgement.decision);
  }
  return true;
}

// Who is refused is never left to a sample.
bool sampled_out(const Judgement& judgement, const ActivePolicy& active) {
  return judgement.reason != Reason::Invalid &&
         action_of(judgement.outcome) == rules::Action::Allow &&
         active.sampled_out(judgement.decision, judgement.packet);
}

}  // namespace

Worker::Worker(unsigned number, std::unique_ptr<kernel::PacketSource> source,
               const SnapshotBoard& board, RecordSink& sink, std::uint32_t shed_above)
    : number_(number),
      source_(std::move(source)),
      board_(board),
      sink_(sink),
      sources_(shed_above) {}

void Worker::run() noexcept {
  while (!stopping_.load(std::memory_order_relaxed) && step()) {
  }
  finish();
}

bool Worker::step() noexcept {
  const auto packets = source_->receive();
  if (!packets) {
    failure_.store(packets.error().code, std::memory_order_release);
    return false;
  }
  const auto received = now(CLOCK_MONOTONIC);
  {
    const std::lock_guard lock(batch_mutex_);
    if (board_.number() != snapshot_in_use()) refresh();
    if (!packets->empty()) judge_batch(*packets, received);
    heartbeat_ns_.store(received.count(), std::memory_order_release);
  }
  const auto pause = pace_.received(packets->size(), received);
  if (pause > nanoseconds(0)) std::this_thread::sleep_for(pause);
  return true;
}

nanoseconds Worker::heartbeat() const noexcept {
  return nanoseconds(heartbeat_ns_.load(std::memory_order_acquire));
}

std::uint64_t Worker::snapshot_in_use() const noexcept {
  return snapshot_in_use_.load(std::memory_order_acquire);
}

void Worker::refresh() {
  snapshot_ = board_.take();
  unknown_interfaces_.clear();
  snapshot_in_use_.store(snapshot_->number, std::memory_order_release);
}

void Worker::finish() noexcept {
  const std::lock_guard lock(batch_mutex_);
  snapshot_.reset();
  snapshot_in_use_.store(kNoSnapshot, std::memory_order_release);
}

void Worker::judge_batch(std::span<const kernel::QueuedPacket> packets,
                         nanoseconds received) noexcept {
  const ActivePolicy& active = *snapshot_->policy;
  read_packets(packets);
  ask_rules(packets.size());

  const auto duration = std::max(now(CLOCK_MONOTONIC) - received, nanoseconds(0));
  const auto realtime = now(CLOCK_REALTIME);
  std::size_t wanted = 0;  // records, moved to the front
  for (std::size_t at = 0; at < packets.size(); ++at) {
    auto& record = records_[at];
    apply_mode(record.judgement, headers_[at], active.mode);
    record.realtime_ns = realtime.count();
    record.duration_ns = saturated(duration);
    count(record, packets[at].hook);
    if (record.judgement.decoded) sources_.count(sender_of(record), received);
    verdicts_[at] = answer(packets[at], active, record.judgement);
    if (!wants_record(record, active)) continue;
    record.sampled_out = sampled_out(record.judgement, active);
    if (wanted != at) records_[wanted] = record;
    recorded_[wanted++] = static_cast<std::uint8_t>(at);
  }
  counters_.batches.add();
  counters_.count_time(static_cast<std::uint64_t>(duration.count()), packets.size());
  push_records(packets, wanted);
  source_->send(std::span(verdicts_).first(packets.size()));
}

// Before the verdicts are sent: what has passed is counted, whatever becomes of this process.
void Worker::push_records(std::span<const kernel::QueuedPacket> packets,
                          std::size_t wanted) noexcept {
  if (wanted == 0) return;  // or the audit's writer would be woken for nothing
  const std::size_t fitting = sink_.push(number_, std::span(records_).first(wanted));
  counters_.records_lost.add(wanted - fitting);
  if (fitting == wanted || sink_.unrecorded_may_pass()) return;
  for (std::size_t i = fitting; i < wanted; ++i) {
    const kernel::QueuedPacket& packet = packets[recorded_[i]];
    if (lets_in(records_[i].judgement))
      verdicts_[recorded_[i]] = {packet.id, false, packet.priority};
  }
}

void Worker::read_packets(std::span<const kernel::QueuedPacket> packets) noexcept {
  for (std::size_t at = 0; at < packets.size(); ++at) {
    const kernel::QueuedPacket& packet = packets[at];
    auto& record = records_[at];
    record.policy_version = snapshot_->policy->version;
    record.interface_index = packet.interface_index;
    record.queue = source_->number();
    // Without a class the packet came past chain A; it is judged without any trust in conntrack.
    record.packet_class = kernel::decode_class(packet.priority).value_or(PacketClass::Untracked);
    headers_[at] = {.packet_class = record.packet_class,
                    .hook = packet.hook,
                    .interface = interface_of(packet),
                    .wire_length = packet.wire_length};
    record.judgement = read(headers_[at], packet.bytes);
  }
}

void Worker::ask_rules(std::size_t packets) noexcept {
  std::array<rules::Query, kernel::kBatchPackets> queries;
  std::array<rules::Decision, kernel::kBatchPackets> decisions;
  std::array<std::uint8_t, kernel::kBatchPackets> places;  // of the packets that are asked about
  std::size_t asked = 0;
  for (std::size_t at = 0; at < packets; ++at) {
    const Judgement& judgement = records_[at].judgement;
    if (!asks_rules(headers_[at], judgement)) continue;
    queries[asked] = {&judgement.packet, judgement.direction, headers_[at].interface};
    places[asked++] = static_cast<std::uint8_t>(at);
  }
  snapshot_->policy->rules.classify_batch(std::span(queries).first(asked), decisions);
  for (std::size_t i = 0; i < asked; ++i)
    decide(records_[places[i]].judgement, headers_[places[i]], decisions[i]);
}

rules::InterfaceId Worker::interface_of(const kernel::QueuedPacket& packet) noexcept {
  if (packet.interface_index == 0) return rules::kOtherInterface;
  const auto known = snapshot_->interfaces.find(packet.interface_index);
  if (known) return *known;
  return unknown_interfaces_.find(packet.interface_index, snapshot_->policy->rules);
}

void Worker::count(const audit::VerdictRecord& record, rules::Direction hook) noexcept {
  const Judgement& judgement = record.judgement;
  counters_.packets.at(hook, action_of(judgement.done()), judgement.reason_done()).add();
  if (judgement.reason == Reason::Invalid) return;
  snapshot_->policy->counters[number_]->count(judgement.decision, judgement.direction);
  if (record.packet_class == PacketClass::New && hook == rules::Direction::In)
    count_connection(judgement);
}

void Worker::count_connection(const Judgement& judgement) noexcept {
  const rules::Packet& packet = judgement.packet;
  const std::size_t service =
      packet.has_ports ? snapshot_->policy->services.find(packet.protocol, packet.destination_port)
                       : rules::ServiceMap::kOther;
  const auto action = static_cast<std::size_t>(action_of(judgement.done()));
  counters_.connections[snapshot_->services[service]][action].add();
}

}  // namespace fwd::engine
