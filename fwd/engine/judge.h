// judge() is the whole way from a queued packet to its verdict: class and decision decide together
// what the kernel is told.
//
//     class \ decision   allow     deny      reject    limit
//     new                approve   drop      reject    limit
//     again, reply       approve   revoke    reject    approve   (a limit counts only new ones)
//     related: error     pass      drop      drop      pass
//     related: other     pass      drop      reject    limit
//     untracked          pass      drop      reject    limit
//     invalid, input     drop      drop      drop      drop
//     invalid, output    pass      drop      drop      pass
//     DCCP, otherwise    pass      drop      reject    drop
//     undecodable        drop      drop      drop      drop
//
// "related: error" is an ICMP error about a connection. Nothing of it may approve the connection
// that it quotes. A reply is judged as the connection is: turned round, in the other direction.
// In observe mode the policy's outcome stands in the judgement and in the record, but what is done
// instead of a refusal is what "allow" would have come to, or pass.
//
// Conntrack has not known DCCP's ports since kernel 6.16 (include/net/netfilter/nf_conntrack_l4proto.h):
// one entry stands for all ports between two hosts, so it can be neither approved nor counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fwd/kernel/marks.h"
#include "fwd/mode.h"
#include "rules/packet.h"
#include "rules/rule_set.h"

namespace fwd::engine {

// The closed set of reasons in audit records and metrics.
enum class Reason : std::uint8_t {
  Rule,
  Default,
  RateLimit,
  Invalid,
  Revoked,
  KernelCopy,
  Shed,
  Observe
};
std::string_view to_string(Reason reason);  // "rule", "rate_limit"

// What the worker does with the packet.
enum class Outcome : std::uint8_t { Drop, Approve, Pass, Revoke, Reject, Limit };

// What it means to the packet's sender, in the policy's words.
rules::Action action_of(Outcome outcome) noexcept;

// Whether it is one of the ICMP or ICMPv6 messages that report an error about a connection.
bool is_icmp_error(const rules::Packet& packet) noexcept;

struct Judgement {
  Outcome outcome = Outcome::Drop;  // by the policy
  Reason reason = Reason::Invalid;
  std::optional<Outcome> instead;                     // that is done, in observe mode
  rules::Decision decision;                           // valid unless reason is Invalid
  rules::Direction direction = rules::Direction::In;  // of the connection, not of a reply packet
  rules::Packet packet;  // of the connection's original direction; valid unless `malformed`
  bool decoded = false;
  rules::Malformed malformed = rules::Malformed::Empty;  // valid unless decoded

  Outcome done() const noexcept { return instead.value_or(outcome); }
  Reason reason_done() const noexcept { return instead ? Reason::Observe : reason; }
};

struct QueuedHeader {
  kernel::PacketClass packet_class = kernel::PacketClass::Untracked;
  rules::Direction hook = rules::Direction::In;
  rules::InterfaceId interface =
      rules::kOtherInterface;  // that the packet came in by or goes out by
  std::size_t wire_length = 0;
};

// The table above.
Outcome outcome(kernel::PacketClass packet_class, rules::Direction hook,
                const rules::Packet& packet, rules::Action decision) noexcept;

// What observe mode does in place of this outcome; nothing where that lets the packet through anyway,
// or leaves it to a meter.
std::optional<Outcome> observed(Outcome refusal, kernel::PacketClass packet_class,
                                rules::Direction hook, const rules::Packet& packet) noexcept;

Judgement judge(const rules::RuleSet& rules, Mode mode, const QueuedHeader& header,
                std::span<const std::byte> bytes) noexcept;

// The same in steps, so that the packets of a batch are classified together. read() fills in the
// packet and its direction; where asks_rules(), these go to the rule set and its answer to decide().
Judgement read(const QueuedHeader& header, std::span<const std::byte> bytes) noexcept;
bool asks_rules(const QueuedHeader& header, const Judgement& judgement) noexcept;
void decide(Judgement& judgement, const QueuedHeader& header,
            const rules::Decision& decision) noexcept;
void apply_mode(Judgement& judgement, const QueuedHeader& header, Mode mode) noexcept;

}  // namespace fwd::engine
