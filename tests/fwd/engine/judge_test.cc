#include "fwd/engine/judge.h"

#include <array>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"

using fwd::engine::judge;
using fwd::engine::Judgement;
using fwd::engine::Outcome;
using fwd::engine::QueuedHeader;
using fwd::engine::Reason;
using fwd::kernel::PacketClass;
using rules::Action;
using rules::Direction;

namespace {

using namespace tests;

constexpr std::array kActions{Action::Allow, Action::Deny, Action::Reject, Action::Limit};

const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::Drop:
      return "drop";
    case Outcome::Approve:
      return "approve";
    case Outcome::Pass:
      return "pass";
    case Outcome::Revoke:
      return "revoke";
    case Outcome::Reject:
      return "reject";
    case Outcome::Limit:
      return "limit";
  }
  return "?";
}

// One rule for everything, in both directions.
rules::RuleSet always(Action action) {
  rules::Policy policy;
  for (const auto direction : {Direction::In, Direction::Out}) {
    rules::Rule rule;
    rule.action = action;
    rule.match.direction = direction;
    policy.rules.push_back(rule);
  }
  return rules::compile(policy);
}

Judgement judged(const rules::RuleSet& rules, PacketClass packet_class, Direction hook,
                 const ByteVector& bytes, fwd::Mode mode = fwd::Mode::Enforce) {
  const QueuedHeader header{.packet_class = packet_class,
                            .hook = hook,
                            .interface = rules::kOtherInterface,
                            .wire_length = bytes.size()};
  return judge(rules, mode, header, bytes);
}

// What is done for allow, deny, reject and limit.
std::string row(PacketClass packet_class, Direction hook, const ByteVector& bytes,
                fwd::Mode mode = fwd::Mode::Enforce) {
  std::ostringstream text;
  for (const auto action : kActions) {
    text << name(judged(always(action), packet_class, hook, bytes, mode).done()) << ' ';
  }
  return text.str();
}

std::vector<std::uint8_t> types(std::initializer_list<unsigned> numbers) {
  std::vector<std::uint8_t> narrow;
  for (const auto number : numbers) narrow.push_back(static_cast<std::uint8_t>(number));
  return narrow;
}

const ByteVector kSyn = bytes(IPv4{} / Tcp{});
const ByteVector kSyn6 = bytes(IPv6{} / Tcp{});
const ByteVector kUndecodable(kSyn.begin(), kSyn.begin() + 21);
const ByteVector kDccp = bytes(IPv4{} / Dccp{});
const ByteVector kUnreachable = bytes(IPv4{} / Icmp{.type = 3, .code = 1});
const ByteVector kUnreachable6 = bytes(IPv6{} / Icmpv6{.type = 1, .code = 4});

}  // namespace

TEST_CASE("every cell of the matrix is as judge.h says") {
  struct Line {
    PacketClass packet_class;
    Direction hook;
    const ByteVector& bytes;
    const char* outcomes;
  };
  const Line lines[]{
      {PacketClass::New, Direction::In, kSyn, "approve drop reject limit "},
      {PacketClass::New, Direction::Out, kSyn6, "approve drop reject limit "},
      {PacketClass::Again, Direction::In, kSyn, "approve revoke reject approve "},
      {PacketClass::Again, Direction::Out, kSyn6, "approve revoke reject approve "},
      {PacketClass::AgainReply, Direction::In, kSyn6, "approve revoke reject approve "},
      {PacketClass::AgainReply, Direction::Out, kSyn, "approve revoke reject approve "},
      {PacketClass::Related, Direction::In, kUnreachable, "pass drop drop pass "},
      {PacketClass::Related, Direction::Out, kUnreachable6, "pass drop drop pass "},
      {PacketClass::Related, Direction::In, kSyn, "pass drop reject limit "},
      {PacketClass::Related, Direction::Out, kSyn6, "pass drop reject limit "},
      {PacketClass::Untracked, Direction::In, kSyn, "pass drop reject limit "},
      {PacketClass::Untracked, Direction::Out, kSyn, "pass drop reject limit "},
      {PacketClass::New, Direction::In, kDccp, "pass drop reject drop "},
      {PacketClass::Again, Direction::In, kDccp, "pass drop reject drop "},
      {PacketClass::AgainReply, Direction::Out, kDccp, "pass drop reject drop "},
      {PacketClass::Invalid, Direction::In, kSyn, "drop drop drop drop "},
      {PacketClass::Invalid, Direction::Out, kSyn, "pass drop drop pass "},
  };
  for (const auto& line : lines) {
    INFO("class " << static_cast<int>(line.packet_class) << " hook " << to_string(line.hook));
    CHECK(row(line.packet_class, line.hook, line.bytes) == line.outcomes);
  }
}

TEST_CASE("observe mode lets through what would be refused, as if it were allowed") {
  struct Line {
    PacketClass packet_class;
    Direction hook;
    const ByteVector& bytes;
    const char* outcomes;
  };
  const Line lines[]{
      {PacketClass::New, Direction::In, kSyn, "approve approve approve limit "},
      {PacketClass::Again, Direction::Out, kSyn6, "approve approve approve approve "},
      {PacketClass::AgainReply, Direction::In, kSyn6, "approve approve approve approve "},
      {PacketClass::Related, Direction::In, kUnreachable, "pass pass pass pass "},
      {PacketClass::Related, Direction::Out, kSyn6, "pass pass pass limit "},
      {PacketClass::Untracked, Direction::In, kSyn, "pass pass pass limit "},
      {PacketClass::New, Direction::In, kDccp, "pass pass pass pass "},
      {PacketClass::Again, Direction::In, kDccp, "pass pass pass pass "},
      {PacketClass::Invalid, Direction::In, kSyn, "pass pass pass pass "},
      {PacketClass::Invalid, Direction::Out, kSyn, "pass pass pass pass "},
      {PacketClass::New, Direction::In, kUndecodable, "pass pass pass pass "},
      {PacketClass::Again, Direction::Out, kUndecodable, "pass pass pass pass "},
  };
  for (const auto& line : lines) {
    INFO("class " << static_cast<int>(line.packet_class) << " hook " << to_string(line.hook));
    CHECK(row(line.packet_class, line.hook, line.bytes, fwd::Mode::Observe) == line.outcomes);
  }
}

TEST_CASE("observe mode keeps what the policy says, and why") {
  const auto observe = [](Action action, PacketClass packet_class, const ByteVector& bytes) {
    return judged(always(action), packet_class, Direction::In, bytes, fwd::Mode::Observe);
  };
  const auto denied = observe(Action::Deny, PacketClass::New, kSyn);
  CHECK(denied.outcome == Outcome::Drop);
  CHECK(denied.reason == Reason::Rule);
  CHECK(denied.reason_done() == Reason::Observe);
  CHECK(observe(Action::Reject, PacketClass::New, kSyn).outcome == Outcome::Reject);
  CHECK(observe(Action::Deny, PacketClass::Again, kSyn).reason == Reason::Revoked);
  CHECK(observe(Action::Deny, PacketClass::New, kUndecodable).reason == Reason::Invalid);
  const auto allowed = observe(Action::Allow, PacketClass::New, kSyn);
  CHECK_FALSE(allowed.instead);
  CHECK(allowed.reason_done() == Reason::Rule);
}

TEST_CASE("what can't be decoded is dropped as invalid whatever its class and the policy") {
  const auto rules = always(Action::Allow);
  for (const auto packet_class :
       {PacketClass::New, PacketClass::Again, PacketClass::AgainReply, PacketClass::Related,
        PacketClass::Untracked, PacketClass::Invalid}) {
    for (const auto hook : {Direction::In, Direction::Out}) {
      for (const auto& bytes : {kUndecodable, ByteVector{}}) {
        const auto judgement = judged(rules, packet_class, hook, bytes);
        CHECK(judgement.outcome == Outcome::Drop);
        CHECK(judgement.reason == Reason::Invalid);
        CHECK_FALSE(judgement.decoded);
      }
    }
  }
}

TEST_CASE(
    "an invalid incoming packet is dropped before any rule, with its headers for the record") {
  const auto judgement = judged(always(Action::Allow), PacketClass::Invalid, Direction::In, kSyn);
  CHECK(judgement.reason == Reason::Invalid);
  CHECK(judgement.decoded);
  CHECK(judgement.packet.destination_port == 80);
}

TEST_CASE("a reply is judged as the connection it belongs to") {
  // The server's answer leaves by output; the connection came in to port 80.
  const auto rules = rules::compile(policy_of({tcp_rule(Action::Allow, 80)}));
  const auto answer = bytes(IPv4{.source = "198.51.100.1", .destination = "192.0.2.1"} /
                            Tcp{.sport = 80, .dport = 40000});
  const auto judgement = judged(rules, PacketClass::AgainReply, Direction::Out, answer);
  CHECK(judgement.outcome == Outcome::Approve);
  CHECK(judgement.direction == Direction::In);
  CHECK(rules::to_string(judgement.packet.source) == "192.0.2.1");
  CHECK(rules::to_string(judgement.packet.destination) == "198.51.100.1");
  CHECK(judgement.packet.source_port == 40000);
  CHECK(judgement.packet.destination_port == 80);

  const auto other = bytes(IPv4{} / Tcp{.sport = 81, .dport = 40000});
  CHECK(judged(rules, PacketClass::AgainReply, Direction::Out, other).outcome == Outcome::Revoke);
}

TEST_CASE("an ICMP answer is judged as the request") {
  struct Pair {
    bool ipv6;
    std::uint8_t answer;
    std::uint8_t request;
  };
  for (const auto& pair : {Pair{false, 0, 8}, Pair{false, 14, 13}, Pair{false, 16, 15},
                           Pair{false, 18, 17}, Pair{true, 129, 128}, Pair{true, 140, 139},
                           // No answers, so nothing to turn round; 129 is no answer in ICMP.
                           Pair{false, 8, 8}, Pair{false, 129, 129}, Pair{true, 0, 0}}) {
    const auto packet = pair.ipv6 ? bytes(IPv6{} / Icmpv6{.type = pair.answer})
                                  : bytes(IPv4{} / Icmp{.type = pair.answer});
    const auto judgement =
        judged(always(Action::Allow), PacketClass::AgainReply, Direction::In, packet);
    CHECK(unsigned{judgement.packet.icmp_type} == unsigned{pair.request});
  }
}

TEST_CASE("ICMP errors are told from other related packets") {
  const auto is_error = [](const ByteVector& bytes) {
    const auto packet = rules::decode(bytes);
    REQUIRE(packet.has_value());
    return fwd::engine::is_icmp_error(*packet);
  };
  for (const auto type : types({3, 4, 5, 11, 12}))
    CHECK(is_error(bytes(IPv4{} / Icmp{.type = type})));
  for (const auto type : types({0, 8, 13, 1, 2}))
    CHECK_FALSE(is_error(bytes(IPv4{} / Icmp{.type = type})));
  for (const auto type : types({1, 2, 3, 4, 127}))
    CHECK(is_error(bytes(IPv6{} / Icmpv6{.type = type})));
  for (const auto type : types({128, 129, 137})) {
    CHECK_FALSE(is_error(bytes(IPv6{} / Icmpv6{.type = type})));
  }
  CHECK_FALSE(is_error(kSyn));
}

TEST_CASE("the reason names what decided") {
  const auto rules =
      rules::compile(policy_of({tcp_rule(Action::Allow, 80), tcp_rule(Action::Reject, 81)}));
  const auto reason = [&](PacketClass packet_class, std::uint16_t port) {
    const auto packet = bytes(IPv4{} / Tcp{.dport = port});
    return std::string(to_string(judged(rules, packet_class, Direction::In, packet).reason));
  };
  CHECK(reason(PacketClass::New, 80) == "rule");
  CHECK(reason(PacketClass::New, 81) == "rule");
  CHECK(reason(PacketClass::New, 82) == "default");
  CHECK(reason(PacketClass::Again, 80) == "rule");
  CHECK(reason(PacketClass::Again, 81) == "revoked");
  CHECK(reason(PacketClass::Again, 82) == "revoked");
  CHECK(reason(PacketClass::Invalid, 80) == "invalid");
}

TEST_CASE("an outcome is told in the policy's words") {
  CHECK(action_of(Outcome::Approve) == Action::Allow);
  CHECK(action_of(Outcome::Pass) == Action::Allow);
  CHECK(action_of(Outcome::Drop) == Action::Deny);
  CHECK(action_of(Outcome::Revoke) == Action::Deny);
  CHECK(action_of(Outcome::Reject) == Action::Reject);
  CHECK(action_of(Outcome::Limit) == Action::Limit);
}
