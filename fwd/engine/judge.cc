// Entry point: judge().
#include "fwd/engine/judge.h"

#include <array>
#include <utility>

namespace fwd::engine {
namespace {

using kernel::PacketClass;
using rules::Action;
using rules::Direction;

constexpr std::array<std::string_view, 8> kReasonNames{
    "rule", "default", "rate_limit", "invalid", "revoked", "kernel_copy", "shed", "observe"};
static_assert(kReasonNames.size() == static_cast<std::size_t>(Reason::Observe) + 1);

// One line of the table in judge.h, by decision.
struct Row {
  Outcome allow;
  Outcome deny;
  Outcome reject;
  Outcome limit;

  constexpr Outcome at(Action action) const {
    switch (action) {
      case Action::Allow:
        return allow;
      case Action::Deny:
        return deny;
      case Action::Reject:
        return reject;
      case Action::Limit:
        return limit;
    }
    return Outcome::Drop;
  }
};

constexpr Row kNew{Outcome::Approve, Outcome::Drop, Outcome::Reject, Outcome::Limit};
constexpr Row kAgain{Outcome::Approve, Outcome::Revoke, Outcome::Reject, Outcome::Approve};
constexpr Row kStateless{Outcome::Pass, Outcome::Drop, Outcome::Reject, Outcome::Limit};
constexpr Row kPortsUnknown{Outcome::Pass, Outcome::Drop, Outcome::Reject, Outcome::Drop};
constexpr Row kUnanswerable{Outcome::Pass, Outcome::Drop, Outcome::Drop, Outcome::Pass};
constexpr Row kNothing{Outcome::Drop, Outcome::Drop, Outcome::Drop, Outcome::Drop};

// The request that an ICMP message answers, as conntrack pairs them; the type itself where it
// answers nothing.
std::uint8_t request_type(std::uint8_t protocol, std::uint8_t type) {
  static constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 4> kIcmp{
      {{0, 8}, {14, 13}, {16, 15}, {18, 17}}};  // echo, timestamp, information, address mask
  static constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 2> kIcmpv6{
      {{129, 128}, {140, 139}}};  // echo, node information
  const auto pairs = protocol == rules::protocol::kIcmpv6
                         ? std::span<const std::pair<std::uint8_t, std::uint8_t>>(kIcmpv6)
                         : std::span<const std::pair<std::uint8_t, std::uint8_t>>(kIcmp);
  for (const auto& [reply, request] : pairs) {
    if (reply == type) return request;
  }
  return type;
}

// The reply as the connection's first packet would have looked.
void turn_round(rules::Packet& packet) {
  std::swap(packet.source, packet.destination);
  std::swap(packet.source_port, packet.destination_port);
  if (packet.has_icmp) packet.icmp_type = request_type(packet.protocol, packet.icmp_type);
}

Direction opposite(Direction direction) {
  return direction == Direction::In ? Direction::Out : Direction::In;
}

// Whether conntrack tells apart the connections that a rule can tell apart.
bool ports_known(const rules::Packet& packet) {
  return packet.protocol != rules::protocol::kDccp;
}

const Row& row_for(PacketClass packet_class, Direction hook, const rules::Packet& packet) {
  switch (packet_class) {
    case PacketClass::New:
      return ports_known(packet) ? kNew : kPortsUnknown;
    case PacketClass::Again:
    case PacketClass::AgainReply:
      return ports_known(packet) ? kAgain : kPortsUnknown;
    case PacketClass::Related:
      return is_icmp_error(packet) ? kUnanswerable : kStateless;
    case PacketClass::Untracked:
      return kStateless;
    case PacketClass::Invalid:
      return hook == Direction::In ? kNothing : kUnanswerable;
  }
  return kNothing;
}

Reason reason_for(PacketClass packet_class, Outcome outcome, const rules::Decision& decision) {
  const bool live = packet_class == PacketClass::Again || packet_class == PacketClass::AgainReply;
  const bool allowed = outcome == Outcome::Approve || outcome == Outcome::Pass;
  if (live && !allowed) return Reason::Revoked;
  return decision.by == rules::DecidedBy::Default ? Reason::Default : Reason::Rule;
}

}  // namespace

std::string_view to_string(Reason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

Action action_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Approve:
    case Outcome::Pass:
      return Action::Allow;
    case Outcome::Drop:
    case Outcome::Revoke:
      return Action::Deny;
    case Outcome::Reject:
      return Action::Reject;
    case Outcome::Limit:
      return Action::Limit;
  }
  return Action::Deny;
}

// The messages that conntrack files under the connection they quote (nf_conntrack_proto_icmp.c,
// nf_conntrack_proto_icmpv6.c).
bool is_icmp_error(const rules::Packet& packet) noexcept {
  if (!packet.has_icmp) return false;
  if (packet.protocol == rules::protocol::kIcmpv6) return packet.icmp_type < 128;  // RFC 4443, 2.1
  switch (packet.icmp_type) {
    case 3:   // destination unreachable
    case 4:   // source quench
    case 5:   // redirect
    case 11:  // time exceeded
    case 12:  // parameter problem
      return true;
    default:
      return false;
  }
}

Outcome outcome(PacketClass packet_class, Direction hook, const rules::Packet& packet,
                Action decision) noexcept {
  return row_for(packet_class, hook, packet).at(decision);
}

std::optional<Outcome> observed(Outcome refusal, PacketClass packet_class, Direction hook,
                                const rules::Packet& packet) noexcept {
  const Action action = action_of(refusal);
  if (action == Action::Allow || action == Action::Limit) return std::nullopt;
  const Outcome allowed = outcome(packet_class, hook, packet, Action::Allow);
  return allowed == Outcome::Approve ? Outcome::Approve : Outcome::Pass;
}

Judgement read(const QueuedHeader& header, std::span<const std::byte> bytes) noexcept {
  const bool reply = header.packet_class == PacketClass::AgainReply;
  Judgement judgement;
  judgement.direction = reply ? opposite(header.hook) : header.hook;
  const auto packet = rules::decode(bytes, header.wire_length);
  if (!packet) {
    judgement.malformed = packet.error();
    return judgement;
  }
  judgement.decoded = true;
  judgement.packet = *packet;
  if (reply) turn_round(judgement.packet);
  return judgement;
}

bool asks_rules(const QueuedHeader& header, const Judgement& judgement) noexcept {
  const bool nothing = header.packet_class == PacketClass::Invalid && header.hook == Direction::In;
  return judgement.decoded && !nothing;
}

void decide(Judgement& judgement, const QueuedHeader& header,
            const rules::Decision& decision) noexcept {
  judgement.decision = decision;
  judgement.outcome = outcome(header.packet_class, header.hook, judgement.packet, decision.action);
  judgement.reason = reason_for(header.packet_class, judgement.outcome, decision);
}

void apply_mode(Judgement& judgement, const QueuedHeader& header, Mode mode) noexcept {
  if (mode == Mode::Enforce) return;
  // Nothing is approved that nobody could read.
  const auto packet_class = judgement.decoded ? header.packet_class : PacketClass::Invalid;
  judgement.instead = observed(judgement.outcome, packet_class, header.hook, judgement.packet);
}

Judgement judge(const rules::RuleSet& rules, Mode mode, const QueuedHeader& header,
                std::span<const std::byte> bytes) noexcept {
  Judgement judgement = read(header, bytes);
  if (asks_rules(header, judgement)) {
    const auto decision = rules.classify(judgement.packet, judgement.direction, header.interface);
    decide(judgement, header, decision);
  }
  apply_mode(judgement, header, mode);
  return judgement;
}

}  // namespace fwd::engine
