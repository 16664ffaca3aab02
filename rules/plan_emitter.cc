#include "rules/plan_emitter.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace rules {
namespace {

using nft::Verdict;

constexpr std::uint32_t kOthersBits = (1U << kLabelShift) - 1;

// True while a rule with this label would still decide.
nft::Above above(Label label) {
  return {nft::Field::Priority, label << kLabelShift | kOthersBits};
}

nft::Compare is_of(Family family) {
  return {nft::Field::NetworkProtocol, family == Family::V4 ? nft::kIpv4 : nft::kIpv6};
}

}  // namespace

std::string search_chain(Direction direction) {
  return direction == Direction::In ? "search_input" : "search_output";
}

Piece PlanEmitter::piece(const PieceOf& of) const {
  return state_.cut(state_.rule_of(of.label))[of.piece];
}

nft::Rule PlanEmitter::leaf(const PieceOf& of, Direction direction, const Shape& known) const {
  nft::Rule rule{tests_of(piece(of), direction, known)};
  rule.statements.push_back(above(of.label));
  rule.statements.push_back(
      nft::Assign{nft::Field::Priority, kOthersBits, of.label << kLabelShift});
  rule.statements.push_back(Verdict{Verdict::Kind::Return});
  return rule;
}

nft::Chain PlanEmitter::bucket(const KernelGroup& group, const Shape& shape,
                               std::span<const KernelGroup::Item> items) const {
  nft::Chain chain{group.table_name(shape) + bucket_name(piece(items.front().piece), shape)};
  chain.rules.reserve(items.size());
  for (const KernelGroup::Item& item : items)
    chain.rules.push_back(leaf(item.piece, group.direction(), shape));
  return chain;
}

nft::Element PlanEmitter::element(const KernelGroup& group, const Shape& shape,
                                  std::span<const KernelGroup::Item> items) const {
  const Piece first = piece(items.front().piece);
  return {bucket_key(first, shape), group.table_name(shape) + bucket_name(first, shape)};
}

nft::Chain PlanEmitter::list(const KernelGroup& group) const {
  nft::Chain chain{list_name(group)};
  for (const PieceOf& of : group.list()) chain.rules.push_back(leaf(of, group.direction(), {}));
  return chain;
}

nft::Map PlanEmitter::map(const KernelGroup& group, const Shape& shape) {
  std::vector<nft::Field> key;
  for (const nft::KeyPart& part : key_parts(shape, group.family())) key.push_back(part.field);
  return {group.table_name(shape), std::move(key), nft::Map::To::Jump};
}

nft::Map PlanEmitter::map(const Front& front) {
  std::vector<nft::Field> key;
  for (const nft::KeyPart& part : key_parts(front.shape, front.family)) key.push_back(part.field);
  return {front_name(front), std::move(key), nft::Map::To::Number};
}

nft::Element PlanEmitter::element(const Front& front, const Piece& piece, Label label) {
  return {.key = bucket_key(piece, front.shape), .number = label << kLabelShift};
}

nft::Rule PlanEmitter::look_into(const Front& front) {
  nft::Rule rule;
  if (front.family) rule.statements.push_back(is_of(*front.family));
  rule.statements.push_back(
      nft::AssignBy{nft::Field::Priority, key_parts(front.shape, front.family), front_name(front)});
  return rule;
}

void PlanEmitter::lead_to(const KernelGroup& group, nft::Chain& chain) {
  const KernelGroup::Summary summary = group.summary();
  for (const auto& [first, shape] : summary.tables) {
    chain.rules.push_back({{above(first), nft::VerdictBy{key_parts(shape, group.family()),
                                                         group.table_name(shape)}}});
  }
  if (!summary.list) return;
  chain.rules.push_back({{above(*summary.list), Verdict{Verdict::Kind::Jump, list_name(group)}}});
}

nft::Chain PlanEmitter::way_in(const KernelGroup& group) const {
  nft::Chain chain{group.name()};
  lead_to(group, chain);
  return chain;
}

nft::Chain PlanEmitter::search(Direction direction) const {
  nft::Chain chain{search_chain(direction)};
  if (direction == Direction::In) {
    for (const auto& [front, items] : state_.fronts.all()) chain.rules.push_back(look_into(front));
  }
  for (const KernelGroup& group : state_.groups) {
    if (group.direction() != direction) continue;
    if (!group.family()) {
      lead_to(group, chain);
    } else if (!group.summary().empty()) {
      chain.rules.push_back({{is_of(*group.family()), Verdict{Verdict::Kind::Jump, group.name()}}});
    }
  }
  return chain;
}

void PlanEmitter::for_each_bucket(const KernelGroup& group, const EachBucket& visit) {
  for (const auto& [first, shape] : group.summary().tables) {
    const KernelGroup::Table& table = *group.table(shape);
    const std::span<const KernelGroup::Item> all(table.items);
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin + 1;
      while (end < all.size() && all[end].bucket == all[begin].bucket) ++end;
      visit(table, all.subspan(begin, end - begin));
      begin = end;
    }
  }
}

void PlanEmitter::for_each_chain(const std::function<void(const nft::Chain&)>& visit) const {
  for (const KernelGroup& group : state_.groups) {
    for_each_bucket(
        group, [&](const auto& table, auto items) { visit(bucket(group, table.shape, items)); });
    if (!group.list().empty()) visit(list(group));
    if (group.family() && !group.summary().empty()) visit(way_in(group));
    if (group.family() == Family::V6) visit(search(group.direction()));  // the direction's last
  }
}

void PlanEmitter::for_each_chain_name(const std::function<void(const std::string&)>& visit) const {
  for_each_element([&](const nft::Map& map, const nft::Element& element) {
    if (map.to == nft::Map::To::Jump) visit(element.target);
  });
  for (const KernelGroup& group : state_.groups) {
    if (!group.list().empty()) visit(list_name(group));
    if (group.family() && !group.summary().empty()) visit(group.name());
  }
  for (const Direction direction : {Direction::In, Direction::Out}) visit(search_chain(direction));
}

void PlanEmitter::for_each_map(const std::function<void(const nft::Map&)>& visit) const {
  for (const auto& [front, items] : state_.fronts.all()) visit(map(front));
  for (const KernelGroup& group : state_.groups) {
    for (const auto& [first, shape] : group.summary().tables) visit(map(group, shape));
  }
}

void PlanEmitter::for_each_element(
    const std::function<void(const nft::Map&, const nft::Element&)>& visit) const {
  for (const auto& [front, items] : state_.fronts.all()) {
    const nft::Map of = map(front);
    for (const KernelFronts::Item& item : items)
      visit(of, element(front, piece(item.piece), item.piece.label));
  }
  for (const KernelGroup& group : state_.groups) {
    nft::Map of;
    std::optional<Shape> shape;
    for_each_bucket(group, [&](const auto& table, auto items) {
      if (shape != table.shape) of = map(group, table.shape);
      shape = table.shape;
      visit(of, element(group, table.shape, items));
    });
  }
}

void PlanEmitter::for_each_set(const std::function<void(const MemberSet&)>& visit) const {
  for (const auto& [name, list] : state_.lists) {
    for (const MemberKind& kind : kMemberKinds) {
      if (list.kinds.has(kind)) visit(part_of(name, kind, list.kinds, list.members));
    }
  }
  for (const PlannedRule& rule : state_.rules) {
    const Cut pieces = state_.cut(rule);
    for (const MemberSet& set : pieces.own_sets()) visit(set);
  }
}

}  // namespace rules
