#include "fwd/kernel/limit_chain.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/statements.h"

namespace fwd::kernel {
namespace {

using namespace rules::nft;

constexpr std::uint32_t kSnaplen = 128;

void add_family(Table& table, Chain& chain, const rules::Rule& rule, bool ipv4, const LogTo& report,
                const Verdict& refusal) {
  const Field source = ipv4 ? Field::Ip4Source : Field::Ip6Source;
  const char* family = ipv4 ? "v4" : "v6";
  const std::string tries = fmt::format("limit_{}_{}", rule.id.view(), family);
  const std::string over = fmt::format("over_{}_{}", rule.id.view(), family);
  const std::chrono::seconds period(rule.rate->seconds);
  const std::chrono::seconds penalty(std::max(1U, rule.rate->seconds / rule.rate->count));
  const Remember renew{source, over, penalty, true};

  table.sets.push_back({tries, source, 65535, true, true});
  table.sets.push_back({over, source, 65535, true});
  const Compare guard = ipv4 ? is_ipv4() : is_ipv6();
  const Count count{kCounterLimitRefused};
  chain.rules.push_back({{guard, Lookup{source, over}, renew, count, report, refusal}});
  chain.rules.push_back({{guard, Remember{source, tries, period, false, rule.rate->count}, renew,
                          count, report, refusal}});
}

Chain meter(Table& table, const rules::Rule& rule, LimitSlot slot, Mode mode,
            std::uint16_t nflog_group) {
  const LogTo allowed{nflog_group, fmt::format("{}{}", kLimitAllowedPrefix, slot), kSnaplen};
  const LogTo refused{nflog_group, fmt::format("{}{}", kLimitRefusedPrefix, slot), kSnaplen};
  const Verdict refusal = mode == Mode::Observe ? go("approve") : drop();
  Chain chain{fmt::format("limit_{}", rule.id.view())};
  add_family(table, chain, rule, true, refused, refusal);
  add_family(table, chain, rule, false, refused, refusal);
  chain.rules.push_back({{allowed, go("approve")}});
  return chain;
}

}  // namespace

void add_limit_chains(Table& table, const LimitRules& limits, Mode mode,
                      std::uint16_t nflog_group) {
  Chain ways{"limits"};
  LimitSlot slot = 0;
  for (const rules::Rule* rule : limits) {
    Chain chain = meter(table, *rule, ++slot, mode, nflog_group);
    ways.rules.push_back(
        {{Compare{Field::Priority, std::uint32_t{slot} << 12, true, kSlotMask}, go(chain.name)}});
    table.chains.push_back(std::move(chain));
  }
  ways.rules.push_back({{mode == Mode::Observe ? go("pass") : drop()}, "no such rule any more"});
  table.chains.push_back(std::move(ways));
}

}  // namespace fwd::kernel
