#include "rules/kernel_plan.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace rules {
namespace {

using nft::Verdict;

constexpr std::uint32_t kOthersBits = (1U << kLabelShift) - 1;
constexpr std::array<std::optional<Family>, 3> kGroups{std::nullopt, Family::V4, Family::V6};

// True while a rule with this label would still decide.
nft::Above above(Label label) {
  return {nft::Field::Priority, label << kLabelShift | kOthersBits};
}

nft::Rule leaf(const Piece& piece, Direction direction, Label label, const Shape& known) {
  nft::Rule rule{tests_of(piece, direction, known)};
  rule.statements.push_back(above(label));
  rule.statements.push_back(nft::Assign{nft::Field::Priority, kOthersBits, label << kLabelShift});
  rule.statements.push_back(Verdict{Verdict::Kind::Return});
  return rule;
}

// The tables and the list for the pieces of one direction that are of one family, or of either.
class Group {
 public:
  Group(std::string name, Direction direction, std::optional<Family> family)
      : name_(std::move(name)), direction_(direction), family_(family) {}

  // In the order of labels.
  void add(const Piece& piece, Label label, const Place& place) {
    if (place) {
      add_to_table(piece, label, *place);
    } else {
      list_.rules.push_back(leaf(piece, direction_, label, {}));
      first_in_list_ = std::min(first_in_list_, label);
    }
  }

  bool empty() const { return tables_.empty() && list_.rules.empty(); }

  // Adds what leads to the rules to `search`, the rest to the plan.
  void finish(nft::Chain& search, KernelPlan& plan) && {
    // What comes first in the policy is looked for first: it spares the tables behind it.
    std::ranges::sort(tables_, {}, &Table::first);
    for (Table& table : tables_) {
      search.rules.push_back(
          {{above(table.first), nft::VerdictBy{key_parts(table.shape, family_), table.map.name}}});
      std::ranges::move(table.buckets, std::back_inserter(plan.chains));
      plan.maps.push_back(std::move(table.map));
    }
    if (list_.rules.empty()) return;
    list_.name = name_ + "/list";
    search.rules.push_back({{above(first_in_list_), Verdict{Verdict::Kind::Jump, list_.name}}});
    plan.chains.push_back(std::move(list_));
  }

 private:
  struct Table {
    Shape shape;
    Label first;
    nft::Map map;
    std::vector<nft::Chain> buckets;
    std::unordered_map<std::string, std::size_t> by_name;  // indices of buckets
  };

  Table& table_of(const Shape& shape, Label label) {
    const auto found = std::ranges::find(tables_, shape, &Table::shape);
    if (found != tables_.end()) return *found;
    std::vector<nft::Field> key;
    for (const nft::KeyPart& part : key_parts(shape, family_)) key.push_back(part.field);
    nft::Map map{table_name(shape), std::move(key), nft::Map::To::Jump};
    return tables_.emplace_back(shape, label, std::move(map));
  }

  std::string table_name(const Shape& shape) const {
    return fmt::format("{}/{}.{}{}{}{}", name_, shape.source, shape.destination,
                       shape.protocol ? "p" : "", shape.source_port ? "s" : "",
                       shape.destination_port ? "d" : "");
  }

  void add_to_table(const Piece& piece, Label label, const Shape& shape) {
    Table& table = table_of(shape, label);
    std::string name = table.map.name + bucket_name(piece, shape);
    const auto [entry, added] = table.by_name.try_emplace(name, table.buckets.size());
    if (added) {
      table.map.elements.push_back({bucket_key(piece, shape), name});
      table.buckets.push_back({std::move(name)});
    }
    table.buckets[entry->second].rules.push_back(leaf(piece, direction_, label, shape));
  }

  std::string name_;
  Direction direction_;
  std::optional<Family> family_;
  std::vector<Table> tables_;
  nft::Chain list_{};
  Label first_in_list_ = kDefaultLabel;
};

class Planner {
 public:
  Planner(const Policy& policy, const KernelPlan* previous) : policy_(policy) {
    if (previous == nullptr) return;
    for (const PlannedRule& rule : previous->rules) before_.emplace(rule.key, &rule);
    lists_before_ = previous->lists;
  }

  KernelPlan plan() && {
    add_rules(policy_.builtin_rules, DecidedBy::Builtin);
    add_rules(policy_.rules, DecidedBy::Rule);
    number();
    for (const PlannedRule& rule : plan_.rules)
      pieces_.push_back(cut(match(rule), rule.key, sets_));
    for (PlannedRule& rule : plan_.rules) rule.places.resize(pieces_of(rule).size());
    build(Direction::In);
    build(Direction::Out);
    for (auto& [name, set] : sets_.fixed) plan_.sets.push_back(std::move(set));
    return std::move(plan_);
  }

 private:
  // A piece of a rule.
  struct Item {
    PlannedRule* rule;
    std::size_t piece;
  };

  const Match& match(const PlannedRule& rule) const {
    const bool builtin = rule.by == DecidedBy::Builtin;
    return builtin ? policy_.builtin_rules[rule.index].match : policy_.rules[rule.index].match;
  }
  const std::vector<Piece>& pieces_of(const PlannedRule& rule) const {
    return pieces_[static_cast<std::size_t>(&rule - plan_.rules.data())];
  }
  const Piece& piece(const Item& item) const { return pieces_of(*item.rule)[item.piece]; }

  template <typename List>
  void add_rules(const List& rules, DecidedBy by) {
    for (std::uint32_t index = 0; index < rules.size(); ++index) {
      const std::string& id = rules[index].id;
      const unsigned number = ++times_[id];
      plan_.rules.push_back(
          {by, index, number == 1 ? id : fmt::format("{}.{}", id, number), 0, {}});
    }
  }

  const PlannedRule* before(const PlannedRule& rule) const {
    const auto found = before_.find(rule.key);
    return found == before_.end() ? nullptr : found->second;
  }

  void number() {
    std::vector<std::optional<Label>> labels;
    for (const PlannedRule& rule : plan_.rules) {
      const PlannedRule* old = before(rule);
      labels.push_back(old == nullptr ? std::nullopt : std::optional(old->label));
    }
    const std::vector<Label> numbers = number_rules(labels);
    for (std::size_t i = 0; i < numbers.size(); ++i) plan_.rules[i].label = numbers[i];
  }

  void build(Direction direction) {
    nft::Chain search{search_chain(direction)};
    for (const std::optional<Family>& family : kGroups) {
      const std::string name = group_name(direction, family);
      const std::vector<Item> items = items_of(direction, family);
      find_places(name, items);
      Group group(name, direction, family);
      for (const Item& item : items)
        group.add(piece(item), item.rule->label, item.rule->places[item.piece]);
      if (group.empty()) continue;
      if (!family) {
        std::move(group).finish(search, plan_);
        continue;
      }
      nft::Chain chain{name};
      std::move(group).finish(chain, plan_);
      const std::uint32_t number = *family == Family::V4 ? nft::kIpv4 : nft::kIpv6;
      search.rules.push_back({{nft::Compare{nft::Field::NetworkProtocol, number},
                               Verdict{Verdict::Kind::Jump, name}}});
      plan_.chains.push_back(std::move(chain));
    }
    plan_.chains.push_back(std::move(search));
  }

  static std::string group_name(Direction direction, std::optional<Family> family) {
    std::string name(to_string(direction));
    if (family) name += *family == Family::V4 ? '4' : '6';
    return name;
  }

  std::vector<Item> items_of(Direction direction, std::optional<Family> family) {
    std::vector<Item> items;
    for (PlannedRule& rule : plan_.rules) {
      if (match(rule).direction != direction) continue;
      const std::vector<Piece>& pieces = pieces_of(rule);
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (pieces[i].family == family) items.push_back({&rule, i});
      }
    }
    return items;
  }

  void find_places(const std::string& group, const std::vector<Item>& items) {
    std::vector<const Piece*> pieces;
    std::vector<std::optional<Place>> places_before;
    for (const Item& item : items) {
      pieces.push_back(&piece(item));
      const PlannedRule* old = before(*item.rule);
      const bool known = old != nullptr && item.piece < old->places.size();
      places_before.push_back(known ? std::optional(old->places[item.piece]) : std::nullopt);
    }
    const Placement placement = place(pieces, places_before, lists_before_[group]);
    plan_.lists[group] = placement.list;
    for (std::size_t i = 0; i < items.size(); ++i)
      items[i].rule->places[items[i].piece] = placement.places[i];
  }

  const Policy& policy_;
  std::unordered_map<std::string, const PlannedRule*> before_;
  std::map<std::string, std::size_t> lists_before_;
  std::unordered_map<std::string, unsigned> times_;  // that an id has been seen
  KernelSets sets_;
  std::vector<std::vector<Piece>> pieces_;  // of each of plan_.rules
  KernelPlan plan_;
};

}  // namespace

std::string search_chain(Direction direction) {
  return direction == Direction::In ? "search_input" : "search_output";
}

KernelPlan make_kernel_plan(const Policy& policy, const KernelPlan* previous) {
  return Planner(policy, previous).plan();
}

}  // namespace rules
