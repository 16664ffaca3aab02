#include "rules/rule_set.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/classifier/classifier.h"

namespace rules {
namespace {

// What the rules of one direction come to, by their slots.
struct Side {
  std::unique_ptr<const classifier::Classifier> classifier;
  std::shared_ptr<const classifier::Version> version;
  std::vector<Decision> decisions;
  Decision otherwise;

  Decision decision(const classifier::Found& found) const noexcept {
    return found ? decisions[found.slot] : otherwise;
  }
};

constexpr std::size_t kBatch = 64;

// The queries of a batch that are for one side.
class SideBatch {
 public:
  explicit SideBatch(const Side& side) : side_{side} {}

  void add(const Query& query, std::size_t place) noexcept {
    queries_[count_] = {query.packet, query.interface};
    places_[count_++] = static_cast<std::uint8_t>(place);
  }

  void classify(std::span<Decision> decisions) const noexcept {
    std::array<classifier::Found, kBatch> found;
    side_.version->first_matches({queries_.data(), count_}, found);
    for (std::size_t i = 0; i < count_; ++i) decisions[places_[i]] = side_.decision(found[i]);
  }

 private:
  const Side& side_;
  std::array<classifier::Query, kBatch> queries_;
  std::array<std::uint8_t, kBatch> places_;
  std::size_t count_ = 0;
};

class InterfaceNames {
 public:
  InterfaceId number(const std::string& name) {
    const auto next = static_cast<InterfaceId>(names_.size());
    const auto [known, is_new] = numbers_.try_emplace(name, next);
    if (is_new) names_.push_back(name);
    return known->second;
  }

  std::vector<std::string> take() && { return std::move(names_); }

 private:
  std::vector<std::string> names_{""};  // kOtherInterface has none
  std::map<std::string, InterfaceId> numbers_;
};

class SideCompiler {
 public:
  SideCompiler(Direction direction, InterfaceNames& names) : direction_{direction}, names_{names} {}

  template <typename List>
  void add(const List& rules, DecidedBy by) {
    for (std::size_t index = 0; index < rules.size(); ++index) {
      const Rule& rule = rules[index];
      if (rule.match.direction != direction_) continue;
      std::optional<InterfaceId> interface;
      if (rule.match.interface) interface = names_.number(*rule.match.interface);
      patterns_.push_back({&rule.match, interface});
      decisions_.push_back({rule.action, by, static_cast<std::uint32_t>(index)});
    }
  }

  Side finish(Action otherwise, std::shared_ptr<classifier::AddressIndexes> sets) && {
    auto made = std::make_unique<classifier::Classifier>(patterns_, std::move(sets));
    auto version = made->publish();
    decisions_.shrink_to_fit();
    return {std::move(made),
            std::move(version),
            std::move(decisions_),
            {otherwise, DecidedBy::Default, 0}};
  }

 private:
  Direction direction_;
  InterfaceNames& names_;
  std::vector<classifier::Pattern> patterns_;
  std::vector<Decision> decisions_;
};

Side compile_side(const Policy& policy, Direction direction, InterfaceNames& names,
                  std::shared_ptr<classifier::AddressIndexes> sets) {
  SideCompiler side{direction, names};
  side.add(policy.builtin_rules, DecidedBy::Builtin);
  side.add(policy.rules, DecidedBy::Rule);
  return std::move(side).finish(direction == Direction::In ? policy.default_in : policy.default_out,
                                std::move(sets));
}

}  // namespace

struct RuleSet::Tables {
  Side in;
  Side out;
  std::vector<std::string> interfaces;
};

RuleSet::RuleSet(std::unique_ptr<const Tables> tables) : tables_{std::move(tables)} {}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

Decision RuleSet::classify(const Packet& packet, Direction direction,
                           InterfaceId interface) const noexcept {
  const Side& side = direction == Direction::In ? tables_->in : tables_->out;
  return side.decision(side.version->first_match(packet, interface));
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
  const auto& names = tables_->interfaces;
  const auto found = std::find(names.begin() + 1, names.end(), name);
  if (found == names.end()) return kOtherInterface;
  return static_cast<InterfaceId>(found - names.begin());
}

const std::vector<std::string>& RuleSet::interfaces() const noexcept {
  return tables_->interfaces;
}

std::size_t RuleSet::memory_bytes() const noexcept {
  std::size_t sum = sizeof(Tables);
  for (const Side* side : {&tables_->in, &tables_->out}) {
    sum += side->classifier->memory_bytes() + side->decisions.capacity() * sizeof(Decision);
  }
  return sum;
}

RuleSet compile(const Policy& policy) {
  InterfaceNames names;
  RuleSet::Tables tables;
  const auto sets = std::make_shared<classifier::AddressIndexes>();
  tables.in = compile_side(policy, Direction::In, names, sets);
  tables.out = compile_side(policy, Direction::Out, names, sets);
  tables.interfaces = std::move(names).take();
  return RuleSet{std::make_unique<const RuleSet::Tables>(std::move(tables))};
}

}  // namespace rules
