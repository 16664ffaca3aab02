#include "rules/plan_update.h"

#include <algorithm>
#include <bitset>
#include <deque>
#include <set>
#include <string_view>
#include <utility>

namespace rules {
namespace {

constexpr std::size_t kFewRules = 64;  // that change, in however short a policy

}  // namespace

const Rule& PlanUpdate::rule(std::size_t index) const {
  const std::size_t builtins = policy_.builtin_rules.size();
  return index < builtins ? policy_.builtin_rules[index] : policy_.rules[index - builtins];
}

RuleList::Shared PlanUpdate::shared(std::size_t index) const {
  const std::size_t builtins = policy_.builtin_rules.size();
  if (index < builtins) return std::make_shared<const Rule>(policy_.builtin_rules[index]);
  return policy_.rules.shared(index - builtins);
}

PlannedRule PlanUpdate::planned(std::size_t index, Label label) const {
  const Rule& of = rule(index);
  return {shared(index), label, hash_of_id(of.id), 1, of.action};
}

bool PlanUpdate::same(const PlannedRule& old, std::size_t index) {
  const Rule& wanted = rule(index);
  if (old.rule.get() == &wanted) return true;
  const Rule& one = *old.rule;
  return one.id == wanted.id && one.action == wanted.action &&
         one.match.direction == wanted.match.direction &&
         one.match.interface == wanted.match.interface &&
         one.match.protocols == wanted.match.protocols &&
         one.match.source_ports == wanted.match.source_ports &&
         one.match.destination_ports == wanted.match.destination_ports &&
         one.match.hop_limit == wanted.match.hop_limit &&
         lists_.same_pieces(one.match.source, wanted.match.source) &&
         lists_.same_pieces(one.match.destination, wanted.match.destination);
}

PlanChange PlanUpdate::run() {
  find_window();
  if (!label_window()) {
    const std::vector<std::optional<Label>> none(size());
    return build_whole(number_rules(none, policy_.builtin_rules.size()));
  }
  const std::size_t changes = lost_.size() + gained_.size();
  if (changes > kFewRules && changes * 3 > size()) return build_whole(all_labels());
  return apply();
}

// Most rules are the same, and their pointers say so. Those that are, but in another place of memory, are
// remembered where the policy has them now.
void PlanUpdate::find_window() {
  const std::size_t builtins = policy_.builtin_rules.size();
  const auto keep = [&](std::size_t old, std::size_t index) {
    if (index >= builtins && state_.rules[old].rule == policy_.rules.shared(index - builtins))
      return true;
    if (!same(state_.rules[old], index)) return false;
    if (index >= builtins) state_.rules[old].rule = shared(index);
    return true;
  };
  old_end_ = state_.rules.size();
  new_end_ = size();
  while (begin_ < old_end_ && begin_ < new_end_ && keep(begin_, begin_)) ++begin_;
  while (begin_ < old_end_ && begin_ < new_end_ && keep(old_end_ - 1, new_end_ - 1)) {
    --old_end_;
    --new_end_;
  }
}

// Of each of the window's rules which one of the plan's has its id; of several the first with the first.
std::vector<std::optional<std::size_t>> PlanUpdate::match_by_id() const {
  std::unordered_map<std::string_view, std::deque<std::size_t>> olds;
  for (std::size_t i = begin_; i < old_end_; ++i)
    olds[state_.rules[i].rule->id.view()].push_back(i);
  std::vector<std::optional<std::size_t>> found(new_end_ - begin_);
  for (std::size_t i = begin_; i < new_end_; ++i) {
    const auto entry = olds.find(rule(i).id.view());
    if (entry == olds.end() || entry->second.empty()) continue;
    found[i - begin_] = entry->second.front();
    entry->second.pop_front();
  }
  return found;
}

Label PlanUpdate::label_before() const {
  return begin_ == 0 ? 0 : state_.rules[begin_ - 1].label;
}

Label PlanUpdate::label_behind() const {
  return old_end_ == state_.rules.size() ? kDefaultLabel : state_.rules[old_end_].label;
}

// Where the rules that differ have no room, those around them get other labels too, as few as will do.
bool PlanUpdate::label_window() {
  constexpr std::size_t kFirstStep = 8;
  auto olds = match_by_id();
  std::vector<std::optional<Label>> before;
  before.reserve(olds.size());
  for (const auto& old : olds)
    before.push_back(old ? std::optional(state_.rules[*old].label) : std::nullopt);
  auto labels = before.empty() ? std::vector<Label>{}
                               : number_between(before, label_before(), label_behind());
  for (std::size_t by = kFirstStep; !labels; by *= 2) {
    if (!widen_window(by)) return false;
    labels = spread_labels(new_end_ - begin_, label_before(), label_behind());
    if (labels) olds = match_by_id();
  }
  choose(olds, *labels);
  return true;
}

// False where it holds all rules already.
bool PlanUpdate::widen_window(std::size_t by) {
  const std::size_t behind = state_.rules.size() - old_end_;
  if (begin_ == 0 && behind == 0) return false;
  begin_ -= std::min(by, begin_);
  old_end_ += std::min(by, behind);
  new_end_ += std::min(by, behind);
  return true;
}

void PlanUpdate::choose(const std::vector<std::optional<std::size_t>>& olds,
                        const std::vector<Label>& labels) {
  std::vector<bool> stays(old_end_ - begin_);
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const PlannedRule* old = olds[i] ? &state_.rules[*olds[i]] : nullptr;
    window_.push_back(planned(begin_ + i, labels[i]));
    const bool kept = old != nullptr && old->label == labels[i] && same(*old, begin_ + i);
    if (kept) {
      window_.back().copy = old->copy;
      stays[*olds[i] - begin_] = true;
    } else {
      gained_.push_back(begin_ + i);
      lists_.expect(rule(begin_ + i).match);
    }
  }
  for (std::size_t i = 0; i < stays.size(); ++i) {
    if (!stays[i]) lost_.push_back(state_.rules[begin_ + i]);
  }
}

std::vector<Label> PlanUpdate::all_labels() const {
  std::vector<Label> labels;
  labels.reserve(size());
  for (std::size_t i = 0; i < begin_; ++i) labels.push_back(state_.rules[i].label);
  for (const PlannedRule& one : window_) labels.push_back(one.label);
  for (std::size_t i = old_end_; i < state_.rules.size(); ++i)
    labels.push_back(state_.rules[i].label);
  return labels;
}

PlanChange PlanUpdate::build_whole(const std::vector<Label>& labels) {
  state_ = PlanState{};
  state_.builtins = policy_.builtin_rules.size();
  state_.rules.reserve(size());
  std::unordered_map<std::string_view, std::uint32_t> copies;
  ListUses uses(state_.lists);
  for (std::size_t i = 0; i < size(); ++i) {
    state_.rules.push_back(planned(i, labels[i]));
    state_.rules.back().copy = ++copies[rule(i).id.view()];
    uses.expect(rule(i).match);
  }
  uses.take_members();
  for (const PlannedRule& one : state_.rules) uses.acquire(one.rule->match, {});
  open_fronts();
  for (KernelGroup& group : state_.groups) (void)place(group);
  return {.whole = true};
}

bool PlanUpdate::place(KernelGroup& group) {
  std::vector<PieceOf> pieces;
  std::vector<Point> points;
  for (const PlannedRule& one : state_.rules) {
    if (one.rule->match.direction != group.direction()) continue;
    const Cut cut = state_.cut(one);
    for (std::uint32_t i = 0; i < cut.size(); ++i) {
      const Piece piece = cut[i];
      const PieceOf of{one.label, i};
      if (piece.family != group.family() || state_.fronts.has(of)) continue;
      pieces.push_back(of);
      points.push_back(rules::point_of(piece));
    }
  }
  return group.place_anew(pieces, points);
}

PlanChange PlanUpdate::apply() {
  for (const KernelGroup& group : state_.groups) summaries_.push_back(group.summary());
  old_fronts_ = state_.fronts.all().size();
  touched_lists_.assign(state_.groups.size(), false);
  state_.builtins = policy_.builtin_rules.size();
  take_out();
  lists_.take_members();
  replace_window();
  find_copies();
  open_fronts();
  put_in();
  if (place_overgrown()) {
    PlanChange nothing;
    lists_.tell(nothing);  // which forgets the lists that aren't used any more
    return {.whole = true};
  }
  PlanChange change;
  lists_.tell(change);
  tell_fronts(change);
  tell_buckets(change);
  tell_groups(change);
  for (const auto& [id, of] : ids_) {
    const bool was = !of.copies.empty() || of.lost != 0;
    const bool is = !of.copies.empty() || of.gained != 0;
    if (was && !is) change.lost_ids.push_back(id.str());
    if (is && !was) change.gained_ids.push_back(id.str());
  }
  change.lost_rules = std::move(lost_);
  for (const std::size_t index : gained_) change.gained_rules.push_back(state_.rules[index]);
  return change;
}

void PlanUpdate::take_out() {
  for (const PlannedRule& old : lost_) {
    const Match& match = old.rule->match;
    const Cut cut = state_.cut(old);
    for (std::uint32_t i = 0; i < cut.size(); ++i) {
      const Piece piece = cut[i];
      if (take_from_front({old.label, i}, piece)) continue;
      const Point point = rules::point_of(piece);
      KernelGroup& group = state_.group_of(match.direction, piece.family);
      touch(group, group.remove({old.label, i}, point), piece, point, true);
    }
    lists_.release(match, cut.own_sets());
    ++ids_[old.rule->id].lost;
  }
}

void PlanUpdate::replace_window() {
  auto& rules = state_.rules;
  const auto common = std::min(old_end_, new_end_) - begin_;
  const auto at = [](auto& items, std::size_t index) {
    return items.begin() + static_cast<std::ptrdiff_t>(index);
  };
  std::move(window_.begin(), at(window_, common), at(rules, begin_));
  if (old_end_ > new_end_) {
    rules.erase(at(rules, begin_ + common), at(rules, old_end_));
  } else {
    rules.insert(at(rules, begin_ + common), at(window_, common), window_.end());
  }
  for (const std::size_t index : gained_) ++ids_[rules[index].rule->id].gained;
}

// Of the rules that stay, those with the id of one that comes or goes: one pass over all of them.
void PlanUpdate::find_copies() {
  std::bitset<4096> hashes;
  for (const auto& [id, of] : ids_) hashes.set(hash_of_id(id) % hashes.size());
  std::size_t next = 0;  // of gained_
  for (std::size_t i = 0; i < state_.rules.size(); ++i) {
    const PlannedRule& one = state_.rules[i];
    if (next < gained_.size() && gained_[next] == i) {
      ++next;
    } else if (hashes.test(one.id_hash % hashes.size())) {
      const auto found = ids_.find(one.rule->id);
      if (found != ids_.end()) found->second.copies.push_back(one.copy);
    }
  }
}

void PlanUpdate::put_in() {
  const auto point_there = [this](const PieceOf& of) { return point_of(of); };
  std::map<RuleId, std::set<std::uint32_t>> taken;
  for (const std::size_t index : gained_) {
    PlannedRule& one = state_.rules[index];
    const auto [entry, first] = taken.try_emplace(one.rule->id);
    const auto& stay = ids_.at(one.rule->id).copies;
    if (first) entry->second.insert(stay.begin(), stay.end());
    while (!entry->second.insert(one.copy).second) ++one.copy;

    const Match& match = one.rule->match;
    const Cut cut = state_.cut(one);
    for (std::uint32_t i = 0; i < cut.size(); ++i) {
      const Piece piece = cut[i];
      const Point point = rules::point_of(piece);
      if (put_ahead({one.label, i}, match.direction, piece, point)) continue;
      KernelGroup& group = state_.group_of(match.direction, piece.family);
      touch(group, group.add({one.label, i}, point, point_there), piece, point, false);
    }
    lists_.acquire(match, cut.own_sets());
  }
}

Point PlanUpdate::point_of(const PieceOf& of) const {
  return rules::point_of(state_.cut(state_.rule_of(of.label))[of.piece]);
}

void PlanUpdate::open_fronts() {
  if (!state_.fronts.is_open() && size() >= many_rules_) state_.fronts.open();
}

// Of a few rules that come: where there are more, some chain changes anyway.
bool PlanUpdate::put_ahead(const PieceOf& of, Direction direction, const Piece& piece,
                           const Point& point) {
  if (gained_.size() > kFewRules) return false;
  if (direction != Direction::In || !tests_of(piece, direction, point.shape).empty()) return false;
  const auto at = state_.fronts.add(of, piece.family, point);
  if (!at) return false;
  touched_fronts_[*at].gained.push_back(
      PlanEmitter::element(state_.fronts.all()[*at].front, piece, of.label));
  return true;
}

bool PlanUpdate::take_from_front(const PieceOf& of, const Piece& piece) {
  const auto at = state_.fronts.remove(of);
  if (!at) return false;
  touched_fronts_[*at].lost.push_back(
      PlanEmitter::element(state_.fronts.all()[*at].front, piece, of.label));
  return true;
}

// True where everything has another place now.
bool PlanUpdate::place_overgrown() {
  bool moved = false;
  for (KernelGroup& group : state_.groups) {
    while (group.overgrown() && open_table(group)) {
    }
    if (group.overgrown() && place(group)) moved = true;
  }
  return moved;
}

bool PlanUpdate::open_table(KernelGroup& group) {
  std::vector<Point> points;
  for (const PieceOf& of : group.list()) points.push_back(point_of(of));
  const auto opened = group.open_table(points);
  if (!opened) return false;
  const auto index = static_cast<std::size_t>(&group - state_.groups.data());
  const Shape& shape = opened->shape;
  for (const PieceOf& of : opened->pieces) {
    const Cut cut = state_.cut(state_.rule_of(of.label));
    const Piece piece = cut[of.piece];
    const BucketKey key{index, shape, bucket_of(rules::point_of(piece), shape)};
    touched_.try_emplace(key, Touched{{bucket_key(piece, shape),
                                       group.table_name(shape) + bucket_name(piece, shape)},
                                      false});
  }
  touched_lists_[index] = true;
  return true;
}

}  // namespace rules
