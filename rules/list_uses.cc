#include "rules/list_uses.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rules {
namespace {

Kinds changed(Kinds kinds, const std::array<MemberChange, 4>& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i)
    kinds.counts[i] = kinds.counts[i] + changes[i].gained.size() - changes[i].lost.size();
  return kinds;
}

// Of short lists.
MemberChange difference(const MemberSet& before, const MemberSet& wanted) {
  const std::vector<nft::Interval> olds = before.with_members().members;
  const std::vector<nft::Interval> news = wanted.with_members().members;
  const auto missing_in = [](const std::vector<nft::Interval>& those) {
    return [&](const nft::Interval& one) { return std::ranges::find(those, one) == those.end(); };
  };
  MemberChange change{{wanted.name, wanted.key, wanted.kind}};
  std::ranges::copy_if(olds, std::back_inserter(change.lost), missing_in(news));
  std::ranges::copy_if(news, std::back_inserter(change.gained), missing_in(olds));
  return change;
}

}  // namespace

const Kinds& ListUses::kinds_of(const AddressMatch& side) {
  const std::string& name = *side.name;
  const auto now = lists_.find(name);
  const bool used = now != lists_.end();
  if (used && now->second.members == side.members) return now->second.kinds;
  const auto [entry, added] = next_.try_emplace(name);
  Next& next = entry->second;
  if (!added) return next.kinds;
  remember(name);
  next.members = side.members;
  if (used) {
    next.changes = changed_members(*now->second.members, *side.members);
    next.kinds = changed(now->second.kinds, next.changes);
  } else {
    next.kinds = rules::kinds_of(*side.members);
  }
  return next.kinds;
}

bool ListUses::same_pieces(const AddressMatch& before, const AddressMatch& wanted) {
  if (before.any() || wanted.any()) return before.any() && wanted.any();
  if (before.name != wanted.name) return false;
  if (!before.name) return before.members == wanted.members || *before.members == *wanted.members;
  return lists_.at(*before.name).kinds.same_sets(kinds_of(wanted));
}

void ListUses::remember(const std::string& name) {
  const auto [entry, added] = before_.try_emplace(name);
  if (!added) return;
  const auto now = lists_.find(name);
  if (now != lists_.end()) entry->second = now->second.kinds;
}

void ListUses::expect(const Match& match) {
  for (const AddressMatch* side : {&match.source, &match.destination}) {
    if (!side->any() && side->name) (void)kinds_of(*side);
  }
}

void ListUses::release(const Match& match, const std::vector<MemberSet>& own_sets) {
  for (const AddressMatch* side : {&match.source, &match.destination}) {
    if (side->any() || !side->name) continue;
    remember(*side->name);
    --lists_.at(*side->name).uses;
  }
  for (const MemberSet& set : own_sets) own_lost_.emplace(set.name, set);
}

void ListUses::take_members() {
  for (const auto& [name, next] : next_) {
    UsedList& list = lists_[name];
    list.members = next.members;
    list.kinds = next.kinds;
  }
}

void ListUses::acquire(const Match& match, const std::vector<MemberSet>& own_sets) {
  for (const AddressMatch* side : {&match.source, &match.destination}) {
    if (!side->any() && side->name) ++lists_.at(*side->name).uses;
  }
  for (const MemberSet& set : own_sets) own_gained_.emplace(set.name, set);
}

void ListUses::tell(PlanChange& change) {
  for (const auto& [name, kinds] : before_) tell_list(name, kinds, change);
  tell_own(change);
}

void ListUses::tell_list(const std::string& name, const Kinds& before, PlanChange& change) {
  UsedList& list = lists_.at(name);
  const bool used = list.uses != 0;
  for (const MemberKind& kind : kMemberKinds) {
    const bool had = before.has(kind);
    const bool wanted = used && list.kinds.has(kind);
    const bool stays = had && wanted && before.room(kind) == list.kinds.room(kind);
    if (had && !stays) change.lost_sets.push_back(part_of(name, kind, before, nullptr).name);
    if (wanted && !stays) change.new_sets.push_back(part_of(name, kind, list.kinds, list.members));
    const auto next = next_.find(name);
    if (!stays || next == next_.end()) continue;
    MemberChange& members = next->second.changes[kind.index()];
    members.set = part_of(name, kind, list.kinds, nullptr);
    if (!members.lost.empty() || !members.gained.empty())
      change.members.push_back(std::move(members));
  }
  if (!used) lists_.erase(name);
}

void ListUses::tell_own(PlanChange& change) {
  for (const auto& [name, set] : own_lost_) {
    const auto again = own_gained_.find(name);
    if (again == own_gained_.end()) {
      change.lost_sets.push_back(name);
      continue;
    }
    MemberChange members = difference(set, again->second);
    if (!members.lost.empty() || !members.gained.empty())
      change.members.push_back(std::move(members));
  }
  for (auto& [name, set] : own_gained_) {
    if (!own_lost_.contains(name)) change.new_sets.push_back(std::move(set));
  }
}

}  // namespace rules
