#include "fwd/kernel/copy_chains.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/statements.h"

namespace fwd::kernel {
namespace {

using namespace rules::nft;
using rules::Action;
using rules::Direction;

constexpr std::uint32_t kDccp = rules::protocol::kDccp;
constexpr const char* kCountMap = "copy_count";

static_assert(kPriorityMask == ~((1U << rules::kLabelShift) - 1));
const KeyPart kLabel{Field::Priority, 32 - rules::kLabelShift};

Compare judged_before(const CtMark& mark) {
  return {Field::CtMark, 0U, false, mark.mask};
}

Compare has_connection() {
  return {Field::CtState, 0U, false, state::kNew | state::kEstablished};
}

Compare is_dccp() {
  return {Field::TransportProtocol, kDccp};
}

// What rules::decode() refuses, as far as it can be told here.
Chain malformed() {
  constexpr std::uint32_t kIp4MoreOrOffset = 0x3fff;
  constexpr std::uint32_t kIp6MoreOrOffset = 0xfff9;
  return {"malformed",
          {},
          {{{is_ipv4(), Compare{Field::Ip4Fragment, 0U, true, kIp4MoreOrOffset}, back()}},
           {{is_ipv4(), go("copy_drop")}},
           {{Compare{Field::Ip6Fragment, 0U, false, kIp6MoreOrOffset}, go("copy_drop")}},
           {{Compare{Field::Ip6RoutingType, 0U}, go("copy_drop")}},
           {{Between{Field::TransportProtocol, 0U, 255U}, back()}},
           {{go("copy_drop")}, "its headers hide the transport"}}};
}

// ICMP errors about a connection, to what they come to.
std::vector<Rule> errors_to(const char* chain) {
  const auto error = [&](std::uint32_t protocol, std::uint32_t first, std::uint32_t last) {
    return Rule{{is_related(), Compare{Field::TransportProtocol, protocol},
                 Between{Field::IcmpType, first, last}, go(chain)}};
  };
  return {error(kIcmp, 3, 5), error(kIcmp, 11, 12), error(kIcmpv6, 0, 127)};
}

// What rules that allow come to.
std::vector<Chain> accepting_chains() {
  return {
      {"copy_approve",
       {},
       {{{is_dccp(), go("copy_pass")}, "conntrack doesn't tell its ports apart"},
        {{has_connection(), Count{kCounterCopyAllowed}, go("approve")}},
        {{go("copy_pass")}, "what is related approves nothing"}}},
      {"copy_pass", {}, {{{Count{kCounterCopyAllowed}, go("pass")}}}},
  };
}

// What rules that deny or reject come to.
std::vector<Chain> refusing_chains(const CtMark& mark) {
  Chain reject{"copy_reject", {}, {{{state_is(state::kInvalid), go("copy_drop")}}}};
  std::ranges::move(errors_to("copy_drop"), std::back_inserter(reject.rules));
  reject.rules.push_back({{Count{kCounterCopyDenied}, go("reject")}});
  return {
      {"copy_deny",
       {},
       {{{is_dccp(), go("copy_drop")}},
        {{state_is(state::kEstablished), go("copy_revoke")}},
        {{state_is(state::kNew), judged_before(mark), go("copy_revoke")}},
        {{go("copy_drop")}}}},
      std::move(reject),
      {"copy_drop", {}, {{{Count{kCounterCopyDenied}, drop()}}}},
      {"copy_revoke", {}, {{{Count{kCounterCopyDenied}, go("revoke")}}}},
  };
}

// The same in observe mode: counted as denied, and let through as if allowed.
std::vector<Chain> observing_chains() {
  return {
      {"copy_deny",
       {},
       {{{is_dccp(), go("copy_drop")}},
        {{has_connection(), Count{kCounterCopyDenied}, go("approve")}},
        {{go("copy_drop")}}}},
      {"copy_reject", {}, {{{go("copy_deny")}}}},
      {"copy_drop", {}, {{{Count{kCounterCopyDenied}, go("pass")}}}},
  };
}

// Goes on to a rule's meter only with what counts.
Chain limit_chain(const CtMark& mark) {
  Chain chain{"copy_limit", {}, {{{state_is(state::kInvalid), go("copy_pass")}}}};
  std::ranges::move(errors_to("copy_pass"), std::back_inserter(chain.rules));
  chain.rules.push_back({{has_connection(), is_dccp(), go("copy_drop")}});
  chain.rules.push_back({{state_is(state::kEstablished), go("copy_approve")}});
  chain.rules.push_back({{state_is(state::kNew), judged_before(mark), go("copy_approve")}});
  return chain;
}

Chain limit_chain_of(const rules::Rule& rule) {
  return {"copy_limit_" + rule.id.str(),
          {},
          {{{jump("copy_limit")}}, {{Count{kCounterCopyMetered}, go("limit_" + rule.id.str())}}}};
}

std::string action_chain(Action action, const std::string& id) {
  switch (action) {
    case Action::Allow:
      return "copy_approve";
    case Action::Deny:
      return "copy_deny";
    case Action::Reject:
      return "copy_reject";
    case Action::Limit:
      return "copy_limit_" + id;
  }
  __builtin_unreachable();
}

Chain copy_chain(Direction direction, const rules::Policy& policy, const CtMark& mark) {
  const bool in = direction == Direction::In;
  const Compare established = state_is(state::kEstablished);
  const Compare reply{Field::CtDirection, kReply};
  const Compare approved{Field::CtMark, 0U, false, mark.approved_once_bit()};
  const std::uint32_t undecided = rules::kDefaultLabel << rules::kLabelShift;
  const Action fallback = in ? policy.default_in : policy.default_out;

  Chain chain{in ? "copy_input" : "copy_output"};
  if (in) chain.rules.push_back({{state_is(state::kInvalid), go("copy_drop")}});
  chain.rules.push_back({{jump("malformed")}});
  chain.rules.push_back(
      {{established, reply, approved, go("copy_pass")}, "approved once, and not judged since"});
  chain.rules.push_back({{established, reply, go("copy_drop")}});
  chain.rules.push_back({{Assign{Field::Priority, ~kPriorityMask, undecided}}});
  chain.rules.push_back({{jump(search_chain(direction))}});
  chain.rules.push_back({{Compare{Field::Priority, undecided, true, kPriorityMask},
                          Count{default_counter(direction)}, go(action_chain(fallback, ""))}});
  chain.rules.push_back({{CountBy{kLabel, kCountMap}}});
  for (const Action action : {Action::Allow, Action::Deny, Action::Reject}) {
    chain.rules.push_back({{Lookup{Field::Priority, action_map(action).name, false, kPriorityMask},
                            go(action_chain(action, ""))}});
  }
  chain.rules.push_back({{VerdictBy{{kLabel}, action_map(Action::Limit).name}}});
  chain.rules.push_back({{go("copy_drop")}, "every label has an action: never"});
  return chain;
}

}  // namespace

std::string rule_counter(std::string_view id) {
  return std::string(kRuleCounterPrefix).append(id);
}

std::string default_counter(Direction direction) {
  return direction == Direction::In ? "default_input" : "default_output";
}

Map count_map() {
  return {kCountMap, {Field::Priority}, Map::To::Counter};
}

Map action_map(Action action) {
  const Map::To to = action == Action::Limit ? Map::To::Goto : Map::To::Nothing;
  return {fmt::format("copy_{}", to_string(action)), {Field::Priority}, to};
}

Element count_element(const rules::PlannedRule& rule) {
  return {{rule.label << rules::kLabelShift}, rule_counter(rule.rule->id.view())};
}

Element action_element(const rules::PlannedRule& rule) {
  Element element{{rule.label << rules::kLabelShift}};
  if (rule.action == Action::Limit) element.target = action_chain(rule.action, rule.rule->id.str());
  return element;
}

void add_copy_chains(Table& table, const rules::Policy& policy, const LimitRules& limits, Mode mode,
                     const CtMark& mark) {
  table.counters.push_back(default_counter(Direction::In));
  table.counters.push_back(default_counter(Direction::Out));
  table.maps.push_back(count_map());
  for (const Action action : kActions) table.maps.push_back(action_map(action));
  table.chains.push_back(malformed());
  std::ranges::move(accepting_chains(), std::back_inserter(table.chains));
  std::ranges::move(mode == Mode::Observe ? observing_chains() : refusing_chains(mark),
                    std::back_inserter(table.chains));
  std::set<rules::RuleId> ids;
  for (const rules::Rule* rule : limits) {
    if (ids.insert(rule->id).second) table.chains.push_back(limit_chain_of(*rule));
  }
  if (!limits.empty()) table.chains.push_back(limit_chain(mark));
  for (const Direction direction : {Direction::In, Direction::Out})
    table.chains.push_back(copy_chain(direction, policy, mark));
}

}  // namespace fwd::kernel
