#include "rules/rule_set.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "rules/rule_side.h"

namespace rules {
namespace {

constexpr std::size_t kBatch = 64;

// The queries of a batch that are for one side.
class SideBatch {
 public:
  explicit SideBatch(const RuleSide& side) : side_{side} {}

  void add(const Query& query, std::size_t place) noexcept {
    queries_[count_] = {query.packet, query.interface};
    places_[count_++] = static_cast<std::uint8_t>(place);
  }

  void classify(std::span<Decision> decisions) const noexcept {
    std::array<classifier::Found, kBatch> found;
    side_.classify({queries_.data(), count_}, found);
    for (std::size_t i = 0; i < count_; ++i) decisions[places_[i]] = side_.decision(found[i]);
  }

 private:
  const RuleSide& side_;
  std::array<classifier::Query, kBatch> queries_;
  std::array<std::uint8_t, kBatch> places_;
  std::size_t count_ = 0;
};

}  // namespace

struct RuleSet::Tables {
  RuleSide in;
  RuleSide out;
  InterfaceNames interfaces;
  std::size_t compiled_interfaces;  // how many there were when all was compiled

  // Names that no rule mentions any more cost a look each, for every connection that is judged again.
  bool can_be_followed() const {
    const bool few_names = interfaces.names().size() <= 2 * compiled_interfaces + 64;
    return few_names && in.youngest() && out.youngest();
  }
};

RuleSet::RuleSet(std::shared_ptr<const Tables> tables) : tables_{std::move(tables)} {}

Decision RuleSet::classify(const Packet& packet, Direction direction,
                           InterfaceId interface) const noexcept {
  const RuleSide& side = direction == Direction::In ? tables_->in : tables_->out;
  return side.classify(packet, interface);
}

void RuleSet::classify_batch(std::span<const Query> queries,
                             std::span<Decision> decisions) const noexcept {
  for (std::size_t at = 0; at < queries.size(); at += kBatch) {
    const auto some = queries.subspan(at, std::min(kBatch, queries.size() - at));
    SideBatch in{tables_->in};
    SideBatch out{tables_->out};
    for (std::size_t i = 0; i < some.size(); ++i)
      (some[i].direction == Direction::In ? in : out).add(some[i], i);
    const auto theirs = decisions.subspan(at, some.size());
    in.classify(theirs);
    out.classify(theirs);
  }
}

InterfaceId RuleSet::interface_id(std::string_view name) const noexcept {
  const auto& names = interfaces();
  const auto found = std::find(names.begin() + 1, names.end(), name);
  if (found == names.end()) return kOtherInterface;
  return static_cast<InterfaceId>(found - names.begin());
}

const std::vector<std::string>& RuleSet::interfaces() const noexcept {
  return tables_->interfaces.names();
}

std::size_t RuleSet::memory_bytes() const noexcept {
  return sizeof(Tables) + tables_->in.memory_bytes() + tables_->out.memory_bytes();
}

RuleSet RuleSet::with_rule(const Policy& policy, std::size_t index) const {
  if (!tables_->can_be_followed()) return compile(policy);
  InterfaceNames names = tables_->interfaces;
  const Rule& rule = policy.rules[index];
  RuleSide in = tables_->in.with_rule(rule, index, names);
  RuleSide out = tables_->out.with_rule(rule, index, names);
  return RuleSet{std::make_shared<const Tables>(std::move(in), std::move(out), std::move(names),
                                                tables_->compiled_interfaces)};
}

RuleSet RuleSet::without_rule(const Policy& policy, const Rule& rule, std::size_t index) const {
  if (!tables_->can_be_followed()) return compile(policy);
  InterfaceNames names = tables_->interfaces;
  RuleSide in = tables_->in.without_rule(rule, index, names);
  RuleSide out = tables_->out.without_rule(rule, index, names);
  return RuleSet{std::make_shared<const Tables>(std::move(in), std::move(out), std::move(names),
                                                tables_->compiled_interfaces)};
}

RuleSet RuleSet::with_others(const Policy& policy, const RuleList& before,
                             std::span<const std::size_t> indices) const {
  constexpr std::size_t kMost = 256;  // beyond, to compile all rules is about as quick
  if (indices.empty()) return *this;
  if (indices.size() > kMost || !tables_->can_be_followed()) return compile(policy);
  InterfaceNames names = tables_->interfaces;
  RuleSide in = tables_->in;
  RuleSide out = tables_->out;
  for (const std::size_t index : indices) {
    RuleSide& side = before[index].match.direction == Direction::In ? in : out;
    side = side.without_rule(before[index], index, names);
    side = side.with_rule(policy.rules[index], index, names);
  }
  return RuleSet{std::make_shared<const Tables>(std::move(in), std::move(out), std::move(names),
                                                tables_->compiled_interfaces)};
}

RuleSet compile(const Policy& policy) {
  InterfaceNames names;
  const auto sets = std::make_shared<classifier::AddressIndexes>();
  RuleSide in{policy, Direction::In, names, sets};
  RuleSide out{policy, Direction::Out, names, sets};
  const std::size_t interfaces = names.names().size();
  return RuleSet{std::make_shared<const RuleSet::Tables>(std::move(in), std::move(out),
                                                         std::move(names), interfaces)};
}

}  // namespace rules
