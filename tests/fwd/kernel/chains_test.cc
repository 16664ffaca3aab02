#include "fwd/kernel/chains.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/support/nft_machine.h"
#include "tests/support/whole_table.h"

using namespace fwd::kernel;

namespace {

const TableSettings kSettings{
    .queues = {4, 5}, .ct_mark = {}, .nflog_group = 7, .state_directory = "/var/lib/fwd"};

rules::nft::Table build(const rules::Policy& policy, fwd::Mode mode = fwd::Mode::Enforce) {
  return tests::whole_table(policy, 5, mode, kSettings);
}

std::string chain_text(const rules::nft::Table& table, const std::string& name) {
  const std::string all = dump(table);
  const std::size_t begin = all.find("  chain " + name + " {\n");
  if (begin == std::string::npos) return "no such chain";
  return all.substr(begin, all.find("  }\n", begin) + 4 - begin);
}

constexpr std::uint32_t kTcsClass = 0x00010010;

bool met_the_copy(const tests::MachineState& packet) {
  return std::ranges::any_of(packet.chains, [](const std::string& chain) {
    return chain == "copy_input" || chain == "copy_output";
  });
}

rules::Policy with_limit() {
  rules::Policy policy;
  rules::Rule limit;
  limit.action = rules::Action::Limit;
  limit.rate = rules::Rate{3, 60};
  limit.id = "00000000000000aa";
  rules::Rule other = limit;
  other.id = "00000000000000bb";
  policy.rules = {rules::Rule{}, limit, rules::Rule{}, other};
  return policy;
}

}  // namespace

TEST_CASE("chain A on input accepts, lapses, clears, drops and queues in the documented order") {
  const rules::nft::Table table = build({});
  CHECK(chain_text(table, "a_input") == R"(  chain a_input {
    type filter hook input priority 0; policy accept;
    ct mark & 0xff000000 != 0x45000000 ct mark & 0xc0000000 == 0x40000000 ct state != 4 ct mark set ct mark & 0xffffff | 0xc0000000
    ct state != 2 goto a_rest_input
    ct mark & 0xc0000000 != 0x40000000 goto a_rest_input
  }
)");
  CHECK(chain_text(table, "a_rest_input") == R"(  chain a_rest_input {
    ct mark & 0xc0000000 == 0x40000000 ct state != 4 accept
    meta priority != 0 meta priority set meta priority & 0xfff | 0x0 comment "our bits in it would be forged"
    iif 1 accept
    meta l4proto 58 jump link_local
    ct mark & 0xff000000 @now_revoked counter name revoked drop
    meta priority set meta priority & 0xfff | 0x70000000
    meta nfproto != @lease accept comment "no worker is alive: chain B decides"
    meta nfproto 2 ip saddr @shed_v4 counter name shed accept
    meta nfproto 10 ip6 saddr @shed_v6 counter name shed accept
    goto classify_input
  }
)");
}

TEST_CASE("packets are classified before they are queued, and a judged connection is never new") {
  CHECK(chain_text(build({}), "classify_output") == R"(  chain classify_output {
    ct state 1 meta priority set meta priority & 0xfff | 0x60000000
    ct state 64 meta priority set meta priority & 0xfff | 0x50000000
    ct state 8 meta priority set meta priority & 0xfff | 0x10000000
    ct state 8 ct mark & 0xff000000 != 0x0 meta priority set meta priority & 0xfff | 0x20000000
    ct state 2 ct direction 0 meta priority set meta priority & 0xfff | 0x20000000
    ct state 2 ct direction 1 meta priority set meta priority & 0xfff | 0x30000000
    ct state 4 meta priority set meta priority & 0xfff | 0x40000000
    queue num 4-5 bypass,fanout
  }
)");
}

TEST_CASE(
    "chain B on output lets our own resets and errors out and obeys verdicts of this generation "
    "only") {
  const rules::nft::Table table = build({});
  CHECK(chain_text(table, "b_output") == R"(  chain b_output {
    type filter hook output priority 10; policy accept;
    ct state != 2 goto b_rest_output
    ct mark & 0xc0000000 != 0x40000000 goto b_rest_output
    meta priority & 0xf0000000 != 0x0 goto b_rest_output
  }
)");
  CHECK(chain_text(table, "b_rest_output") == R"(  chain b_rest_output {
    meta priority & 0xf0000000 == 0x0 ct mark & 0xc0000000 == 0x40000000 ct state != 4 accept
    ct mark & 0xff000000 @now_approved ct state != 4 goto pass
    ct mark & 0xc0000000 == 0x40000000 ct state != 4 meta priority set meta priority & 0xfff | 0x0 comment "under an older generation, while this packet waited"
    meta priority & 0xf0000000 == 0x80000000 meta priority & 0xfc00000 @now_obeyed goto approve
    oif 1 accept
    meta l4proto 58 jump link_local
    ct state 4 meta l4proto 1 accept
    ct state 4 meta l4proto 58 accept
    ct state 4 meta l4proto 6 tcp flags & 0x4 != 0x0 accept
    meta priority & 0xf0000000 == 0x90000000 meta priority & 0xfc00000 @now_obeyed goto pass
    meta priority & 0xf0000000 == 0xa0000000 meta priority & 0xfc00000 @now_obeyed goto revoke
    meta priority & 0xf0000000 == 0xb0000000 meta priority & 0xfc00000 @now_obeyed goto reject
    meta priority & 0xf0000000 == 0xc0000000 meta priority & 0xfc00000 @now_obeyed goto limits
    goto copy_output
  }
)");
}

TEST_CASE("both chains let through by their ends only what is approved and established") {
  const rules::nft::Table table = build({});
  const tests::NftMachine machine(table);
  using enum ConnectionState;
  namespace state = rules::nft::state;
  for (const std::string base : {"a_input", "b_input", "a_output", "b_output"}) {
    INFO(base);
    const auto passes = [&](std::uint32_t ct_state, ConnectionState known,
                            std::uint32_t priority = 0) {
      tests::MachineState packet;
      packet.priority = priority;
      packet.ct_mark = CtMark{}.encode(known, 5);
      packet.ct_state = ct_state;
      const auto end = machine.run(base, packet);
      return end == tests::NftMachine::End::Fallthrough && packet.chains.size() == 1;
    };
    CHECK(passes(state::kEstablished, Approved));
    CHECK(passes(state::kEstablished, Approved, kTcsClass));
    for (const ConnectionState other : {None, Revoked, Lapsed})
      CHECK_FALSE(passes(state::kEstablished, other));
    for (const std::uint32_t other :
         {state::kNew, state::kRelated, state::kInvalid, state::kUntracked})
      CHECK_FALSE(passes(other, Approved));
    const bool class_matters = base.starts_with("b");
    CHECK(passes(state::kEstablished, Approved, encode_class(PacketClass::Again)) != class_matters);
  }
}

TEST_CASE("chain B lets through what chain A gave no class and is approved, also before a reply") {
  const rules::nft::Table table = build({});
  const tests::NftMachine machine(table);
  const CtMark mark;
  enum class Way : std::uint8_t { Through, Copy, Neither };
  const auto way = [&](std::uint32_t priority, ConnectionVerdict verdict, std::uint32_t ct_state) {
    tests::MachineState packet;
    packet.priority = priority;
    packet.ct_mark = mark.encode(verdict.state, verdict.generation);
    packet.ct_state = ct_state;
    const auto end = machine.run("b_input", packet);
    if (met_the_copy(packet)) return Way::Copy;
    return end == tests::NftMachine::End::Drop ? Way::Neither : Way::Through;
  };
  using enum ConnectionState;
  using rules::nft::state::kEstablished;
  using rules::nft::state::kNew;
  using rules::nft::state::kRelated;
  using rules::nft::state::kUntracked;
  for (const std::uint32_t ct_state : {kEstablished, kNew}) {
    CHECK(way(0, {Approved, 5}, ct_state) == Way::Through);
    CHECK(way(kTcsClass, {Approved, 5}, ct_state) == Way::Through);
    // The policy has changed between the two chains.
    CHECK(way(0, {Approved, 4}, ct_state) == Way::Through);
    for (const ConnectionState other : {None, Revoked, Lapsed})
      CHECK(way(0, {other, 5}, ct_state) == Way::Copy);
  }
  CHECK(way(0, {Approved, 5}, kRelated) == Way::Copy);
  CHECK(way(0, {None, 0}, kUntracked) == Way::Copy);
  CHECK(way(encode_class(PacketClass::Related), {Approved, 5}, kRelated) == Way::Copy);
  CHECK(way(encode_class(PacketClass::Again), {Lapsed, 0}, kEstablished) == Way::Copy);
}

TEST_CASE("a verdict about a connection that is approved already isn't obeyed: it may be forged") {
  const rules::nft::Table table = build(with_limit());
  const tests::NftMachine machine(table);
  const VerdictKind kind = GENERATE(VerdictKind::Approve, VerdictKind::Pass, VerdictKind::Revoke,
                                    VerdictKind::Reject, VerdictKind::Limit);
  tests::MachineState state;
  state.priority = with_verdict(0x6, encode_verdict(kind, 5, 1));
  state.ct_state = rules::nft::state::kEstablished;
  SECTION("by this generation: it passes, and the bits are cleared") {
    state.ct_mark = CtMark{}.encode(ConnectionState::Approved, 5);
    CHECK(machine.run("b_input", state) == tests::NftMachine::End::Accept);
    CHECK(state.priority == 0x6);
  }
  SECTION("by an older one: the copy decides") {
    state.ct_mark = CtMark{}.encode(ConnectionState::Approved, 4);
    machine.run("b_input", state);
    CHECK(met_the_copy(state));
  }
}

TEST_CASE("without a worker chain A lapses what is out of date, and leaves it to the copy") {
  const rules::nft::Table table = build({});
  const tests::NftMachine machine(table);
  for (const std::string hook : {"input", "output"}) {
    tests::MachineState state;
    state.ct_mark = CtMark{}.encode(ConnectionState::Approved, 4);
    state.ct_state = rules::nft::state::kEstablished;
    CHECK(machine.run("a_" + hook, state) == tests::NftMachine::End::Accept);
    CHECK(CtMark{}.decode(state.ct_mark).state == ConnectionState::Lapsed);
    state.chains.clear();
    machine.run("b_" + hook, state);
    CHECK(met_the_copy(state));
  }

  tests::MachineState related;
  related.ct_mark = CtMark{}.encode(ConnectionState::Approved, 4);
  related.ct_state = rules::nft::state::kRelated;
  machine.run("a_input", related);
  CHECK(CtMark{}.decode(related.ct_mark).state == ConnectionState::Approved);
}

TEST_CASE("writing the ct mark is a rule of its own, for packets that have no connection") {
  const rules::nft::Table table = build({});
  CHECK(chain_text(table, "approve") == R"(  chain approve {
    jump stamp_approved
    meta priority set meta priority & 0xfff | 0x0 accept
  }
)");
  CHECK(chain_text(table, "stamp_approved") == R"(  chain stamp_approved {
    ct mark set ct mark & 0xffffff | 0x45000000
  }
)");
}

TEST_CASE("sets say which generation is in force") {
  const std::string all = dump(build({}));
  for (const char* set :
       {"set now_obeyed { typeof meta priority; size 4; elements = { 0x1400000 } }",
        "set now_approved { typeof ct mark; size 4; elements = { 0x45000000 } }",
        "set now_revoked { typeof ct mark; size 4; elements = { 0x85000000 } }"}) {
    INFO(set);
    CHECK(all.find(set) != std::string::npos);
  }
}

TEST_CASE("another generation changes no rule that the kernel would go through the table for") {
  const rules::nft::Table before = build({});
  const rules::nft::Table after = tests::whole_table({}, 6, fwd::Mode::Enforce, kSettings);
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < after.chains.size(); ++i) {
    if (after.chains[i] != before.chains[i]) changed.push_back(after.chains[i].name);
  }
  CHECK(changed == std::vector<std::string>{"state", "stamp_approved", "stamp_revoked", "a_input",
                                            "a_output"});
  CHECK(chain_text(after, "state").find("    ct state 8 comment") != std::string::npos);
}

TEST_CASE("only limit rules have slots, counted from 1") {
  CHECK(limit_slots(with_limit()) == std::vector<LimitSlot>{0, 1, 0, 2});
}

TEST_CASE("a limit rule's meter counts tries, remembers who is over and reports both outcomes") {
  const rules::nft::Table table = build(with_limit());
  CHECK(chain_text(table, "limits") == R"(  chain limits {
    meta priority & 0x3ff000 == 0x1000 goto limit_00000000000000aa
    meta priority & 0x3ff000 == 0x2000 goto limit_00000000000000bb
    drop comment "no such rule any more"
  }
)");
  CHECK(chain_text(table, "limit_00000000000000aa") == R"(  chain limit_00000000000000aa {
    meta nfproto 2 ip saddr @over_00000000000000aa_v4 update @over_00000000000000aa_v4 { ip saddr timeout 20s } counter name limit_refused log prefix "fwd limit over 1" group 7 snaplen 128 drop
    meta nfproto 2 add @limit_00000000000000aa_v4 { ip saddr timeout 60s over 3 } update @over_00000000000000aa_v4 { ip saddr timeout 20s } counter name limit_refused log prefix "fwd limit over 1" group 7 snaplen 128 drop
    meta nfproto 10 ip6 saddr @over_00000000000000aa_v6 update @over_00000000000000aa_v6 { ip6 saddr timeout 20s } counter name limit_refused log prefix "fwd limit over 1" group 7 snaplen 128 drop
    meta nfproto 10 add @limit_00000000000000aa_v6 { ip6 saddr timeout 60s over 3 } update @over_00000000000000aa_v6 { ip6 saddr timeout 20s } counter name limit_refused log prefix "fwd limit over 1" group 7 snaplen 128 drop
    log prefix "fwd limit ok 1" group 7 snaplen 128 goto approve
  }
)");
}

TEST_CASE("a table that observes refuses nothing") {
  rules::Policy policy = with_limit();
  policy.default_out = rules::Action::Reject;
  const std::string all = dump(build(policy, fwd::Mode::Observe));
  for (const char* refusal : {" drop\n", " drop ", " reject", "goto revoke", "goto reject"}) {
    INFO(refusal);
    CHECK(dump(build(policy)).find(refusal) != std::string::npos);
    CHECK(all.find(refusal) == std::string::npos);
  }
}

TEST_CASE("a table that observes asks again about connections that were revoked") {
  const rules::nft::Table table = build(with_limit(), fwd::Mode::Observe);
  CHECK(chain_text(table, "a_input") == R"(  chain a_input {
    type filter hook input priority 0; policy accept;
    ct mark & 0xff000000 != 0x45000000 ct mark & 0xc0000000 == 0x40000000 ct state != 4 ct mark set ct mark & 0xffffff | 0xc0000000
    ct state != 2 goto a_rest_input
    ct mark & 0xc0000000 != 0x40000000 goto a_rest_input
  }
)");
  CHECK(chain_text(table, "a_rest_input") == R"(  chain a_rest_input {
    ct mark & 0xc0000000 == 0x40000000 ct state != 4 accept
    meta priority != 0 meta priority set meta priority & 0xfff | 0x0 comment "our bits in it would be forged"
    iif 1 accept
    meta l4proto 58 jump link_local
    meta priority set meta priority & 0xfff | 0x70000000
    meta nfproto != @lease accept comment "no worker is alive: chain B decides"
    meta nfproto 2 ip saddr @shed_v4 counter name shed accept
    meta nfproto 10 ip6 saddr @shed_v6 counter name shed accept
    goto classify_input
  }
)");
}

TEST_CASE("a meter that observes counts and reports, and approves who is over") {
  const rules::nft::Table table = build(with_limit(), fwd::Mode::Observe);
  CHECK(chain_text(table, "limit_00000000000000bb")
            .find("log prefix \"fwd limit over 2\" group 7 snaplen 128 goto approve\n") !=
        std::string::npos);
  CHECK(table.sets == build(with_limit()).sets);
}

TEST_CASE("a built-in that is switched off has no rule in the kernel either") {
  rules::Policy policy;
  policy.builtins.loopback = false;
  policy.builtins.established = false;
  policy.builtins.neighbour_discovery = false;
  policy.builtins.mld = false;
  const rules::nft::Table table = build(policy);
  CHECK(chain_text(table, "link_local") == "  chain link_local {\n  }\n");
  for (const std::string side : {"a", "b"}) {
    for (const std::string& chain : {side + "_input", side + "_rest_input"}) {
      const std::string text = chain_text(table, chain);
      INFO(text);
      REQUIRE(text != "no such chain");
      for (const char* gone : {"iif 1", "ct mark & 0xc0000000", "now_approved"})
        CHECK(text.find(gone) == std::string::npos);
    }
  }
  tests::MachineState approved;
  approved.ct_mark = CtMark{}.encode(ConnectionState::Approved, 5);
  approved.ct_state = rules::nft::state::kEstablished;
  const tests::NftMachine machine(table);
  machine.run("a_input", approved);
  CHECK(approved.priority == kToJudge);
  machine.run("b_input", approved);
  CHECK(met_the_copy(approved));
}

TEST_CASE("the state comment is read back, and nothing else is taken for one") {
  for (const auto mode : {fwd::Mode::Enforce, fwd::Mode::Observe}) {
    const auto state = parse_state_comment(state_comment({17, "abc", "", mode}));
    REQUIRE(state);
    CHECK(state->generation == 17);
    CHECK(state->policy_hash == "abc");
    CHECK(state->mode == mode);
  }
  for (const char* wrong : {"", "generation", "generation 0 policy x", "generation 64 policy x",
                            "generation 5", "x 5 policy y"}) {
    INFO(wrong);
    CHECK_FALSE(parse_state_comment(wrong).has_value());
  }
}
