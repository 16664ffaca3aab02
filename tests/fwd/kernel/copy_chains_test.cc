#include "fwd/kernel/copy_chains.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "fwd/engine/judge.h"
#include "fwd/kernel/chains.h"
#include "tests/support/nft_machine.h"
#include "tests/support/whole_table.h"

using namespace fwd::kernel;
using fwd::engine::Outcome;
using rules::Action;
using rules::Direction;
using tests::MachineState;
using tests::NftMachine;

namespace {

const TableSettings kSettings{
    .queues = {4, 5}, .ct_mark = {}, .nflog_group = 7, .state_directory = "/var/lib/fwd"};
constexpr Generation kGeneration = 5;

rules::nft::Table build(const rules::Policy& policy, fwd::Mode mode = fwd::Mode::Enforce) {
  return tests::whole_table(policy, kGeneration, mode, kSettings);
}

std::string chain_text(const rules::nft::Table& table, const std::string& name) {
  const std::string all = dump(table);
  const std::size_t begin = all.find("  chain " + name + " {\n");
  if (begin == std::string::npos) return "no such chain";
  return all.substr(begin, all.find("  }\n", begin) + 4 - begin);
}

rules::Rule rule(Action action, std::uint8_t protocol, const std::string& id) {
  rules::Rule rule;
  rule.action = action;
  rule.match.protocols = {{protocol, {}, {}}};
  rule.id = id;
  if (action == Action::Limit) rule.rate = rules::Rate{};
  return rule;
}

// One rule in each direction that matches everything with the action.
rules::Policy policy_of(Action action) {
  rules::Policy policy;
  for (const Direction direction : {Direction::In, Direction::Out}) {
    rules::Rule all;
    all.action = action;
    all.match.direction = direction;
    all.id = direction == Direction::In ? "in" : "out";
    if (action == Action::Limit) all.rate = rules::Rate{};
    policy.rules.push_back(all);
  }
  return policy;
}

struct Case {
  std::string name;
  PacketClass packet_class;
  std::uint32_t ct_state;
  std::uint32_t ct_mark;
};

constexpr std::uint32_t kOlder = 0x44000000;  // approved by generation 4
constexpr std::uint32_t kLapsed = 0xc0000000;

const Case kCases[] = {
    {"new", PacketClass::New, rules::nft::state::kNew, 0},
    {"new, but judged before", PacketClass::Again, rules::nft::state::kNew, kOlder},
    {"again", PacketClass::Again, rules::nft::state::kEstablished, 0},
    {"again, approved by an older generation", PacketClass::Again, rules::nft::state::kEstablished,
     kOlder},
    {"new, but lapsed", PacketClass::Again, rules::nft::state::kNew, kLapsed},
    {"again, lapsed", PacketClass::Again, rules::nft::state::kEstablished, kLapsed},
    {"related", PacketClass::Related, rules::nft::state::kRelated, kOlder},
    {"untracked", PacketClass::Untracked, rules::nft::state::kUntracked, 0},
    {"invalid", PacketClass::Invalid, rules::nft::state::kInvalid, 0},
};

rules::Packet packet_of(std::uint8_t protocol, std::uint8_t icmp_type) {
  rules::Packet packet;
  packet.source = rules::Address::v4(0xc0000201);
  packet.destination = rules::Address::v4(0xc6336401);
  packet.protocol = protocol;
  packet.has_ports = rules::has_ports(protocol);
  packet.has_icmp = protocol == rules::protocol::kIcmp;
  packet.icmp_type = icmp_type;
  return packet;
}

// What the machine's way through the chains came to, in judge()'s words.
Outcome outcome_of(const MachineState& state) {
  const auto was_in = [&](std::string_view chain) {
    return std::ranges::find(state.chains, chain) != state.chains.end();
  };
  if (was_in("limit_in") || was_in("limit_out")) return Outcome::Limit;
  if (was_in("approve")) return Outcome::Approve;
  if (was_in("pass")) return Outcome::Pass;
  if (was_in("revoke")) return Outcome::Revoke;
  return state.rejected ? Outcome::Reject : Outcome::Drop;
}

}  // namespace

TEST_CASE("the copy's chain reads as documented") {
  rules::Policy policy;
  policy.rules = {rule(Action::Reject, 6, "00000000000000aa")};
  CHECK(chain_text(build(policy), "copy_input") == R"(  chain copy_input {
    ct state 1 goto copy_drop
    jump malformed
    ct state 2 ct direction 1 ct mark & 0x40000000 != 0x0 goto copy_pass comment "approved once, and not judged since"
    ct state 2 ct direction 1 goto copy_drop
    meta priority set meta priority & 0xfff | 0xfffff000
    jump search_input
    meta priority & 0xfffff000 == 0xfffff000 counter name default_input goto copy_deny
    counter name meta priority & /20 map @copy_count
    meta priority & 0xfffff000 @copy_allow goto copy_approve
    meta priority & 0xfffff000 @copy_deny goto copy_deny
    meta priority & 0xfffff000 @copy_reject goto copy_reject
    meta priority & /20 vmap @copy_limit
    goto copy_drop comment "every label has an action: never"
  }
)");
}

TEST_CASE("the default decides what no rule matches") {
  rules::Policy policy;
  policy.default_in = Action::Reject;
  policy.default_out = Action::Deny;
  const rules::nft::Table table = build(policy);
  CHECK(chain_text(table, "copy_input").find("default_input goto copy_reject\n") !=
        std::string::npos);
  CHECK(chain_text(table, "copy_output").find("default_output goto copy_deny\n") !=
        std::string::npos);
}

TEST_CASE("the copy follows the matrix of judge(), by conntrack's state") {
  const Action action = GENERATE(Action::Allow, Action::Deny, Action::Reject, Action::Limit);
  const Direction hook = GENERATE(Direction::In, Direction::Out);
  const auto [protocol, type] = GENERATE(table<std::uint8_t, std::uint8_t>(
      {{6, 0}, {rules::protocol::kDccp, 0}, {1, 8}, {1, 3}, {1, 6}, {1, 12}}));
  const rules::nft::Table table = build(policy_of(action));
  const NftMachine machine(table);
  for (const Case& one : kCases) {
    MachineState state{packet_of(protocol, type), hook, "eth0"};
    state.ct_state = one.ct_state;
    state.ct_mark = one.ct_mark;
    machine.run(hook == Direction::In ? "copy_input" : "copy_output", state);
    INFO(one.name << ", " << to_string(action) << " " << to_string(hook) << ", protocol "
                  << int{protocol} << " type " << int{type});
    CHECK(static_cast<int>(outcome_of(state)) ==
          static_cast<int>(fwd::engine::outcome(one.packet_class, hook, state.packet, action)));
  }
}

TEST_CASE("in observe mode the copy lets through as judge() does, and counts what it would deny") {
  const Action action = GENERATE(Action::Allow, Action::Deny, Action::Reject, Action::Limit);
  const Direction hook = GENERATE(Direction::In, Direction::Out);
  const auto [protocol, type] = GENERATE(table<std::uint8_t, std::uint8_t>(
      {{6, 0}, {rules::protocol::kDccp, 0}, {1, 8}, {1, 3}, {1, 6}, {1, 12}}));
  const rules::nft::Table table = build(policy_of(action), fwd::Mode::Observe);
  const NftMachine machine(table);
  for (const Case& one : kCases) {
    MachineState state{packet_of(protocol, type), hook, "eth0"};
    state.ct_state = one.ct_state;
    state.ct_mark = one.ct_mark;
    INFO(one.name << ", " << to_string(action) << " " << to_string(hook) << ", protocol "
                  << int{protocol} << " type " << int{type});
    CHECK(machine.run(hook == Direction::In ? "copy_input" : "copy_output", state) ==
          NftMachine::End::Accept);
    const Outcome refusal = fwd::engine::outcome(one.packet_class, hook, state.packet, action);
    const auto instead = fwd::engine::observed(refusal, one.packet_class, hook, state.packet);
    CHECK(static_cast<int>(outcome_of(state)) == static_cast<int>(instead.value_or(refusal)));
    const bool counted = std::ranges::find(state.counted, "copy_denied") != state.counted.end();
    CHECK(counted == instead.has_value());
  }
}

TEST_CASE("a reply passes where its connection was approved once, without a stamp") {
  const Action action = GENERATE(Action::Allow, Action::Deny);
  const rules::nft::Table table = build(policy_of(action));
  const NftMachine machine(table);
  MachineState state{packet_of(6, 0), Direction::In, "eth0"};
  state.ct_state = rules::nft::state::kEstablished;
  state.ct_direction = rules::nft::kReply;
  for (const std::uint32_t mark : {kOlder, kLapsed}) {
    state.ct_mark = mark;
    state.chains.clear();
    CHECK(machine.run("copy_input", state) == NftMachine::End::Accept);
    CHECK(outcome_of(state) == Outcome::Pass);
    CHECK(state.ct_mark == mark);
  }
  constexpr std::uint32_t kRevoked = 0x84000000;
  for (const std::uint32_t mark : {0U, kRevoked}) {
    state.ct_mark = mark;
    state.chains.clear();
    CHECK(machine.run("copy_input", state) == NftMachine::End::Drop);
    CHECK(outcome_of(state) == Outcome::Drop);
  }
}

TEST_CASE("the rule that decides is counted, or the default") {
  rules::Policy policy;
  policy.rules = {rule(Action::Allow, 17, "00000000000000aa"),
                  rule(Action::Deny, 6, "00000000000000bb")};
  const rules::nft::Table table = build(policy);
  const NftMachine machine(table);
  MachineState tcp{packet_of(6, 0), Direction::In, "eth0"};
  machine.run("copy_input", tcp);
  CHECK(tcp.counted == std::vector<std::string>{"rule_00000000000000bb", "copy_denied"});
  MachineState icmp{packet_of(1, 8), Direction::In, "eth0"};
  machine.run("copy_input", icmp);
  CHECK(icmp.counted == std::vector<std::string>{"default_input", "copy_denied"});
}
