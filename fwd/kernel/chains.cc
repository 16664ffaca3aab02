#include "fwd/kernel/chains.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/core.h>
#include <linux/netfilter/nf_tables.h>

#include "fwd/kernel/copy_chains.h"
#include "fwd/kernel/limit_chain.h"
#include "fwd/kernel/statements.h"

namespace fwd::kernel {
namespace {

using namespace rules::nft;
using rules::Direction;

constexpr int kChainAPriority = 0;
constexpr int kChainBPriority = 10;
constexpr std::string_view kObserved = " observed";  // behind the state comment's policy

Compare not_related() {
  return {Field::CtState, state::kRelated, false};
}

// The rules that a packet meets on its way, for one hook. Both base chains let through by their ends what is approved, because nearly all
// packets of a host are: a verdict there, or a jump, costs them as much as several comparisons.
class HookChains {
 public:
  HookChains(Direction direction, const rules::Policy& policy, Mode mode,
             const TableSettings& settings)
      : direction_(direction), policy_(policy), mode_(mode), settings_(settings) {}

  std::vector<Chain> lasting() const { return {rest_of_a(), classify(), chain_b(), rest_of_b()}; }

  Chain chain_a(Generation generation) const {
    Chain chain{name("a"), base(kChainAPriority)};
    if (policy_.builtins.established) chain.rules.push_back(lapse(generation));
    send_to_rest(chain, name("a_rest"));
    return chain;
  }

 private:
  std::string name(const char* prefix) const { return fmt::format("{}_{}", prefix, hook_name()); }
  const char* hook_name() const { return direction_ == Direction::In ? "input" : "output"; }
  BaseChain base(int priority) const {
    return {direction_ == Direction::In ? BaseChain::Hook::Input : BaseChain::Hook::Output,
            priority};
  }
  Lookup connection_is(const char* set) const {
    return {Field::CtMark, set, false, settings_.ct_mark.mask};
  }
  Compare connection_is(ConnectionState state, bool equal = true) const {
    const CtMark& mark = settings_.ct_mark;
    return {Field::CtMark, mark.encode(state, 0), equal, mark.state_mask()};
  }
  // What kind it is comes first: few packets have any, and then nothing is looked up.
  static Rule obey(VerdictKind kind, const char* chain) {
    return {{Compare{Field::Priority, encode_verdict(kind, 0), true, kKindMask},
             Lookup{Field::Priority, kObeyedSet, false, kGenerationMask}, go(chain)}};
  }

  // An approval of another generation: no longer one. Without a verdict, as a stamp.
  Rule lapse(Generation generation) const {
    const CtMark& mark = settings_.ct_mark;
    const Compare older{Field::CtMark, mark.encode(ConnectionState::Approved, generation), false,
                        mark.mask};
    const Assign lapsed{Field::CtMark, ~mark.mask, mark.encode(ConnectionState::Lapsed, 0)};
    return {{older, connection_is(ConnectionState::Approved), not_related(), lapsed}};
  }

  // To `rest` goes all but established packets of approved connections: also what one of those sends before a reply, and what
  // is related to it.
  // An untracked packet must not get as far as the mark, which would break that rule and let it through.
  void send_to_rest(Chain& chain, const std::string& rest) const {
    if (!policy_.builtins.established) {
      chain.rules.push_back({{go(rest)}});
      return;
    }
    chain.rules.push_back({{Compare{Field::CtState, state::kEstablished, false}, go(rest)}});
    chain.rules.push_back({{connection_is(ConnectionState::Approved, false), go(rest)}});
  }

  Chain rest_of_a() const {
    Chain chain{name("a_rest")};
    // What comes before a reply. Ahead of the revoked, since a mark has one state; its priority stays as it is.
    if (policy_.builtins.established)
      chain.rules.push_back({{connection_is(ConnectionState::Approved), not_related(), accept()}});
    // Few other packets have any priority: to look costs less than to write, and to mask what is looked at.
    chain.rules.push_back({{Compare{Field::Priority, 0U, false}, clear_priority()},
                           "our bits in it would be forged"});
    add_stateless_accepts(chain);
    if (mode_ == Mode::Enforce)
      chain.rules.push_back({{connection_is(kRevokedSet), Count{kCounterRevoked}, drop()}});
    add_related_accepts(chain);
    chain.rules.push_back({{Assign{Field::Priority, ~kPriorityMask, kToJudge}}});
    chain.rules.push_back({{Lookup{Field::NetworkProtocol, kLeaseSet, true}, accept()},
                           "no worker is alive: chain B decides"});
    chain.rules.push_back(
        {{is_ipv4(), Lookup{Field::Ip4Source, kShedSet4}, Count{kCounterShed}, accept()}});
    chain.rules.push_back(
        {{is_ipv6(), Lookup{Field::Ip6Source, kShedSet6}, Count{kCounterShed}, accept()}});
    chain.rules.push_back({{go(name("classify"))}});
    return chain;
  }

  // Loopback, neighbour discovery and MLD: what conntrack doesn't track or need not.
  void add_stateless_accepts(Chain& chain) const {
    const Field interface = direction_ == Direction::In ? Field::InputIndex : Field::OutputIndex;
    constexpr std::uint32_t kLoopbackIndex =
        1;  // in every network namespace (include/net/flow.h, LOOPBACK_IFINDEX)
    if (policy_.builtins.loopback)
      chain.rules.push_back({{Compare{interface, kLoopbackIndex}, accept()}});
    chain.rules.push_back(
        {{Compare{Field::TransportProtocol, kIcmpv6}, Verdict{Verdict::Kind::Jump, "link_local"}}});
  }

  // Our own resets and ICMP errors share the entry of what they answer, which may be unconfirmed:
  // NFQUEUE would drop them.
  void add_related_accepts(Chain& chain) const {
    if (!policy_.builtins.established || direction_ == Direction::In) return;
    chain.rules.push_back({{is_related(), Compare{Field::TransportProtocol, kIcmp}, accept()}});
    chain.rules.push_back({{is_related(), Compare{Field::TransportProtocol, kIcmpv6}, accept()}});
    chain.rules.push_back(
        {{is_related(), Compare{Field::TransportProtocol, kTcp}, tcp_reset_flag(), accept()}});
  }

  // Later rules override earlier ones: an entry that was judged before is no longer new.
  Chain classify() const {
    const Compare judged_before{Field::CtMark, 0U, false, settings_.ct_mark.mask};
    const auto set_class = [](PacketClass packet_class) {
      return Assign{Field::Priority, ~kPriorityMask, encode_class(packet_class)};
    };
    Chain chain{name("classify")};
    chain.rules = {
        {{state_is(state::kInvalid), set_class(PacketClass::Invalid)}},
        {{state_is(state::kUntracked), set_class(PacketClass::Untracked)}},
        {{state_is(state::kNew), set_class(PacketClass::New)}},
        {{state_is(state::kNew), judged_before, set_class(PacketClass::Again)}},
        {{state_is(state::kEstablished), Compare{Field::CtDirection, kOriginal},
          set_class(PacketClass::Again)}},
        {{state_is(state::kEstablished), Compare{Field::CtDirection, kReply},
          set_class(PacketClass::AgainReply)}},
        {{is_related(), set_class(PacketClass::Related)}},
        {{Queue{settings_.queues.first, settings_.queues.last}}},
    };
    return chain;
  }

  // Chain A has let approvals of older generations lapse, and written a class to whatever is to be judged: without
  // one, no generation is looked up again.
  Chain chain_b() const {
    Chain chain{name("b"), base(kChainBPriority)};
    send_to_rest(chain, name("b_rest"));
    if (policy_.builtins.established)
      chain.rules.push_back({{Compare{Field::Priority, 0U, false, kKindMask}, go(name("b_rest"))}});
    return chain;
  }

  Chain rest_of_b() const {
    Chain chain{name("b_rest")};
    if (policy_.builtins.established) add_approved_accepts(chain);
    chain.rules.push_back(obey(VerdictKind::Approve, "approve"));
    add_stateless_accepts(chain);
    add_related_accepts(chain);
    chain.rules.push_back(obey(VerdictKind::Pass, "pass"));
    if (mode_ == Mode::Enforce) {
      chain.rules.push_back(obey(VerdictKind::Revoke, "revoke"));
      chain.rules.push_back(obey(VerdictKind::Reject, "reject"));
    }
    chain.rules.push_back(obey(VerdictKind::Limit, "limits"));
    chain.rules.push_back({{go(name("copy"))}});
    return chain;
  }

  // What comes before a reply; and what has a class, or bits of a class of tc's that look like one: its connection may have
  // been approved since it was queued. If under an older generation, its own verdict isn't obeyed: it may as well be forged,
  // since chain A clears nothing on approved connections.
  void add_approved_accepts(Chain& chain) const {
    const Compare approved = connection_is(ConnectionState::Approved);
    chain.rules.push_back(
        {{Compare{Field::Priority, 0U, true, kKindMask}, approved, not_related(), accept()}});
    chain.rules.push_back({{connection_is(kApprovedSet), not_related(), go("pass")}});
    // Older kernels validate the copy once for each rule that leads there.
    chain.rules.push_back({{approved, not_related(), clear_priority()},
                           "under an older generation, while this packet waited"});
  }

  Direction direction_;
  const rules::Policy& policy_;
  Mode mode_;
  const TableSettings& settings_;
};

// RFC 4861, 6.1 and RFC 3810, 5: what comes from beyond the link has another hop limit.
Chain link_local(const rules::Builtins& builtins) {
  Chain chain{"link_local"};
  const auto allow = [&](std::uint32_t hop_limit, std::uint32_t first, std::uint32_t last) {
    chain.rules.push_back({{is_ipv6(), Compare{Field::Ip6HopLimit, hop_limit},
                            Between{Field::IcmpType, first, last}, accept()}});
  };
  if (builtins.neighbour_discovery) allow(255, 133, 137);
  if (builtins.mld) {
    allow(1, 130, 132);
    allow(1, 143, 143);
  }
  return chain;
}

// Of its own, because each commit changes it. On an untracked packet the rule breaks, and the one behind the jump must
// still be reached.
Chain stamp(const char* name, std::uint32_t bits, const CtMark& mark) {
  return {name, {}, {{{Assign{Field::CtMark, ~mark.mask, bits}}}}};
}

std::vector<Chain> approving_chains() {
  return {
      {"approve", {}, {{{jump("stamp_approved")}}, {{clear_priority(), accept()}}}},
      {"pass", {}, {{{clear_priority(), accept()}}}},
  };
}

std::vector<Chain> refusing_chains() {
  return {
      {"revoke", {}, {{{jump("stamp_revoked")}}, {{Count{kCounterRevoked}, drop()}}}},
      {"reject",
       {},
       {{{Compare{Field::TransportProtocol, kTcp}, Reject{true}}}, {{Reject{false}}}}},
  };
}

std::vector<Map> generation_sets(Generation generation, const CtMark& mark) {
  constexpr std::uint32_t kSize = 4;  // until a commit is over, what it takes away counts as well
  const auto one = [](const char* name, Field field, std::uint32_t value) {
    return Map{name, {field}, Map::To::Nothing, {{{value}}}, kSize};
  };
  return {
      one(kObeyedSet, Field::Priority, encode_verdict(VerdictKind{}, generation)),
      one(kApprovedSet, Field::CtMark, mark.encode(ConnectionState::Approved, generation)),
      one(kRevokedSet, Field::CtMark, mark.encode(ConnectionState::Revoked, generation)),
  };
}

template <typename Item>
void append(std::vector<Item>& to, std::vector<Item> from) {
  std::ranges::move(from, std::back_inserter(to));
}

Table current_part(const rules::Policy& policy, Generation generation, Mode mode,
                   const TableSettings& settings) {
  const CtMark& mark = settings.ct_mark;
  const TableState now{.generation = generation, .policy_hash = policy.hash, .mode = mode};
  // Nobody goes there: it tests what the kernel need not validate.
  const Rule state{{state_is(state::kNew)}, state_comment(now)};
  Table table{kTableName};
  table.maps = generation_sets(generation, mark);
  table.chains = {
      {kStateChain, {}, {state}},
      stamp("stamp_approved", mark.encode(ConnectionState::Approved, generation), mark)};
  if (mode == Mode::Enforce)
    table.chains.push_back(
        stamp("stamp_revoked", mark.encode(ConnectionState::Revoked, generation), mark));
  for (const Direction direction : {Direction::In, Direction::Out})
    table.chains.push_back(HookChains(direction, policy, mode, settings).chain_a(generation));
  return table;
}

Table lasting_part(const rules::Policy& policy, const rules::KernelPlan& plan, Mode mode,
                   const TableSettings& settings) {
  Table table{kTableName, fmt::format("fwd state {}", settings.state_directory)};
  table.counters = {kCounterCopyAllowed, kCounterCopyDenied, kCounterCopyMetered,
                    kCounterRevoked,     kCounterShed,       kCounterLimitRefused};
  table.sets = {{kLeaseSet, Field::NetworkProtocol, 4},
                {kShedSet4, Field::Ip4Source},
                {kShedSet6, Field::Ip6Source}};
  table.chains = {link_local(policy.builtins)};
  append(table.chains, approving_chains());
  if (mode == Mode::Enforce) append(table.chains, refusing_chains());
  const LimitRules limits = policy.rules.limits() == 0 ? LimitRules{} : limit_rules(plan);
  add_limit_chains(table, limits, mode, settings.nflog_group);
  add_copy_chains(table, policy, limits, mode, settings.ct_mark);
  for (const Direction direction : {Direction::In, Direction::Out})
    append(table.chains, HookChains(direction, policy, mode, settings).lasting());
  return table;
}

}  // namespace

std::vector<LimitSlot> limit_slots(const rules::Policy& policy) {
  std::vector<LimitSlot> slots;
  LimitSlot last = 0;
  for (std::size_t i = 0; i < policy.rules.size() && last < policy.rules.limits(); ++i) {
    if (policy.rules[i].action != rules::Action::Limit) continue;
    slots.resize(i + 1);
    slots[i] = ++last;
  }
  return slots;
}

LimitRules limit_rules(const rules::KernelPlan& plan) {
  LimitRules limits;
  for (const rules::PlannedRule& planned : std::span(plan.rules()).subspan(plan.builtin_rules())) {
    if (planned.action == rules::Action::Limit) limits.push_back(planned.rule.get());
  }
  return limits;
}

Table FixedPart::whole() const {
  Table table = lasting ? *lasting : Table{};
  append(table.maps, current.maps);
  append(table.chains, current.chains);
  return table;
}

FixedPart build_fixed(const FixedPart& before, const rules::Policy& policy,
                      const rules::KernelPlan& plan, Generation generation, Mode mode,
                      const TableSettings& settings) {
  const Switches switches{policy.builtins, policy.default_in, policy.default_out, mode};
  const bool limits = policy.rules.limits() != 0;  // of which each has a chain
  const bool same = before.lasting && !before.limits && !limits && switches == before.switches;
  auto lasting = same ? before.lasting
                      : std::make_shared<const Table>(lasting_part(policy, plan, mode, settings));
  return {switches, std::move(lasting), current_part(policy, generation, mode, settings), limits};
}

std::string state_comment(const TableState& state) {
  return fmt::format("generation {} policy {}{}", state.generation, state.policy_hash,
                     state.mode == Mode::Observe ? kObserved : "");
}

std::optional<TableState> parse_state_comment(std::string_view comment) {
  constexpr std::string_view kGeneration = "generation ";
  constexpr std::string_view kPolicy = " policy ";
  if (!comment.starts_with(kGeneration)) return std::nullopt;
  comment.remove_prefix(kGeneration.size());
  unsigned generation = 0;
  const auto [end, error] =
      std::from_chars(comment.data(), comment.data() + comment.size(), generation);
  if (error != std::errc{} || generation < 1 || generation > kLastGeneration) return std::nullopt;
  comment.remove_prefix(static_cast<std::size_t>(end - comment.data()));
  if (!comment.starts_with(kPolicy)) return std::nullopt;
  comment.remove_prefix(kPolicy.size());
  const bool observed = comment.ends_with(kObserved);
  if (observed) comment.remove_suffix(kObserved.size());
  return TableState{.generation = static_cast<Generation>(generation),
                    .policy_hash = std::string(comment),
                    .mode = observed ? Mode::Observe : Mode::Enforce};
}

}  // namespace fwd::kernel
