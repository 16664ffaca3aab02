#include "rules/rule_set.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/match_table.h"

namespace rules {
namespace {

// What the rules of one direction come to, by their number in the table.
struct Side {
  MatchTable table;
  std::vector<Decision> decisions;
  Decision otherwise;

  Decision classify(const Packet& packet, InterfaceId interface) const noexcept {
    const auto rule = table.first_match(packet, interface);
    return rule ? decisions[*rule] : otherwise;
  }
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

  void add(const std::vector<Rule>& rules, DecidedBy by) {
    for (std::size_t index = 0; index < rules.size(); ++index) {
      const Rule& rule = rules[index];
      if (rule.match.direction != direction_) continue;
      std::optional<InterfaceId> interface;
      if (rule.match.interface) interface = names_.number(*rule.match.interface);
      builder_.add(rule.match, interface);
      decisions_.push_back({rule.action, by, static_cast<std::uint32_t>(index)});
    }
  }

  Side finish(Action otherwise) && {
    return {builder_.build(), std::move(decisions_), {otherwise, DecidedBy::Default, 0}};
  }

 private:
  Direction direction_;
  InterfaceNames& names_;
  MatchTableBuilder builder_;
  std::vector<Decision> decisions_;
};

Side compile_side(const Policy& policy, Direction direction, InterfaceNames& names) {
  SideCompiler side{direction, names};
  side.add(policy.builtin_rules, DecidedBy::Builtin);
  side.add(policy.rules, DecidedBy::Rule);
  return std::move(side).finish(direction == Direction::In ? policy.default_in
                                                           : policy.default_out);
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
  return side.classify(packet, interface);
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
    sum += side->table.memory_bytes() + side->decisions.capacity() * sizeof(Decision);
  }
  return sum;
}

RuleSet compile(const Policy& policy) {
  InterfaceNames names;
  RuleSet::Tables tables;
  tables.in = compile_side(policy, Direction::In, names);
  tables.out = compile_side(policy, Direction::Out, names);
  tables.interfaces = std::move(names).take();
  return RuleSet{std::make_unique<const RuleSet::Tables>(std::move(tables))};
}

}  // namespace rules
