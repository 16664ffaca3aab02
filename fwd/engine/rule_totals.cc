#include "fwd/engine/rule_totals.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace fwd::engine {
namespace {

using rules::DecidedBy;
using rules::Decision;
using rules::Direction;

// The defaults have no rule id; no id has a space.
constexpr const char* kDefaultIn = "default in";
constexpr const char* kDefaultOut = "default out";

// Removed rules whose counts are kept, beyond as many as the policy has: they may come back.
constexpr std::size_t kRemovedKept = 1024;

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

std::uint64_t sum(const ActivePolicy& policy, DecidedBy by, std::size_t index,
                  Direction direction) {
  const Decision decision{.by = by, .index = static_cast<std::uint32_t>(index)};
  std::uint64_t total = 0;
  for (const auto& worker : policy.counters) total += worker->value(decision, direction);
  return total;
}

// Calls visit(id, count) for the defaults, the built-in rules and the policy's first `most` rules. Several
// built-in rules may share an id.
template <typename Visit>
void for_each_count(const ActivePolicy& active, std::size_t most, Visit visit) {
  visit(rules::RuleId(kDefaultIn), sum(active, DecidedBy::Default, 0, Direction::In));
  visit(rules::RuleId(kDefaultOut), sum(active, DecidedBy::Default, 0, Direction::Out));
  const auto each = [&](const auto& list, DecidedBy by, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) {
      visit(list[at].id, sum(active, by, at, list[at].match.direction));
    }
  };
  const rules::Policy& policy = active.policy;
  each(policy.builtin_rules, DecidedBy::Builtin, policy.builtin_rules.size());
  each(policy.rules, DecidedBy::Rule, std::min(policy.rules.size(), most));
}

std::uint64_t count_of(const std::unordered_map<rules::RuleId, std::uint64_t>& counts,
                       const rules::RuleId& id) {
  const auto found = counts.find(id);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

void RuleHistory::begin(std::shared_ptr<const ActivePolicy> policy, std::uint64_t number) {
  if (current_) retired_.push_back({std::move(current_), number});
  current_ = std::move(policy);
}

void RuleHistory::fold(std::uint64_t oldest_in_use) {
  std::erase_if(retired_, [&](const Retired& retired) {
    if (retired.until > oldest_in_use) return false;
    add(*retired.policy, folded_);
    return true;
  });
  forget_removed_rules();
}

RuleTotals RuleHistory::totals(std::size_t most) const {
  RuleTotals totals;
  if (!current_) return totals;
  Counts counts;
  for (const auto& retired : retired_) add(*retired.policy, counts);
  for_each_count(*current_, most,
                 [&](const rules::RuleId& id, std::uint64_t value) { counts[id] += value; });
  const auto count = [&](const rules::RuleId& id) {
    return count_of(folded_, id) + count_of(counts, id);
  };
  totals.policy = current_;
  totals.default_in = count(kDefaultIn);
  totals.default_out = count(kDefaultOut);
  const rules::Policy& policy = current_->policy;
  for (const auto& rule : policy.builtin_rules) totals.builtin.push_back(count(rule.id));
  for (std::size_t at = 0; at < std::min(policy.rules.size(), most); ++at)
    totals.rules.push_back(count(policy.rules[at].id));
  return totals;
}

std::uint64_t RuleHistory::packets(const rules::Rule& rule) const {
  std::uint64_t total = count_of(folded_, rule.id);
  const auto count = [&](const ActivePolicy& active) {
    const auto index = active.policy.rules.index_of(rule.id);
    if (index) total += sum(active, DecidedBy::Rule, *index, rule.match.direction);
  };
  if (current_) count(*current_);
  for (const auto& retired : retired_) count(*retired.policy);
  return total;
}

void RuleHistory::add(const ActivePolicy& policy, Counts& counts) {
  for_each_count(policy, kAll, [&](const rules::RuleId& id, std::uint64_t count) {
    if (count > 0) counts[id] += count;
  });
}

void RuleHistory::forget_removed_rules() {
  if (!current_) return;
  const auto& policy = current_->policy;
  const std::size_t rules = policy.builtin_rules.size() + policy.rules.size();
  if (folded_.size() <= 2 * rules + kRemovedKept) return;
  std::unordered_set<rules::RuleId> present;
  for_each_count(*current_, kAll,
                 [&](const rules::RuleId& id, std::uint64_t) { present.insert(id); });
  std::erase_if(folded_, [&](const auto& entry) { return !present.contains(entry.first); });
}

}  // namespace fwd::engine
