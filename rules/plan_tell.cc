// The half of rules/plan_update.h that says what has changed.
#include <algorithm>
#include <optional>
#include <utility>

#include "rules/plan_update.h"

namespace rules {

void PlanUpdate::touch(const KernelGroup& group, const Place& place, const Piece& piece,
                       const Point& point, bool removed) {
  const auto index = static_cast<std::size_t>(&group - state_.groups.data());
  if (!place) {
    touched_lists_[index] = true;
    return;
  }
  const std::uint64_t bucket = bucket_of(point, *place);
  const BucketKey key{index, *place, bucket};
  if (touched_.contains(key)) return;
  const KernelGroup::Table* table = group.table(*place);
  const std::size_t count = table == nullptr ? 0 : KernelGroup::bucket(*table, bucket).size();
  touched_.emplace(key, Touched{{bucket_key(piece, *place),
                                 group.table_name(*place) + bucket_name(piece, *place)},
                                removed || count > 1});
}

// A table may have been emptied, and opened again for others.
bool PlanUpdate::had_table(std::size_t group, const Shape& shape) const {
  return std::ranges::any_of(summaries_[group].tables,
                             [&](const auto& table) { return table.second == shape; });
}

void PlanUpdate::tell_fronts(PlanChange& change) {
  const auto& fronts = state_.fronts.all();
  for (std::size_t i = old_fronts_; i < fronts.size(); ++i)
    change.new_maps.push_back(PlanEmitter::map(fronts[i].front));
  for (auto& [index, elements] : touched_fronts_) {
    elements.map = PlanEmitter::map(fronts[index].front);
    change.elements.push_back(std::move(elements));
  }
}

// The elements of a map that is gone go with it.
void PlanUpdate::tell_buckets(PlanChange& change) {
  const PlanEmitter emitter(state_);
  std::optional<std::pair<std::size_t, Shape>> last;
  for (auto& [key, touched] : touched_) {
    const auto& [index, shape, bucket] = key;
    const KernelGroup& group = state_.groups[index];
    const KernelGroup::Table* table = group.table(shape);
    const bool new_map = last != std::pair(index, shape);
    last = {index, shape};
    if (table == nullptr) {
      if (new_map) change.lost_sets.push_back(group.table_name(shape));
      change.lost_chains.push_back(std::move(touched.element.target));
      continue;
    }
    if (new_map && !had_table(index, shape))
      change.new_maps.push_back(PlanEmitter::map(group, shape));
    if (new_map) change.elements.push_back({PlanEmitter::map(group, shape)});
    const auto items = KernelGroup::bucket(*table, bucket);
    if (items.empty()) {
      change.lost_chains.push_back(touched.element.target);
      change.elements.back().lost.push_back(std::move(touched.element));
    } else if (touched.was_there) {
      change.changed_chains.push_back(emitter.bucket(group, shape, items));
    } else {
      change.new_chains.push_back(emitter.bucket(group, shape, items));
      change.elements.back().gained.push_back(std::move(touched.element));
    }
  }
}

void PlanUpdate::tell_groups(PlanChange& change) {
  const PlanEmitter emitter(state_);
  for (const Direction direction : {Direction::In, Direction::Out}) {
    bool search = direction == Direction::In && state_.fronts.all().size() != old_fronts_;
    for (std::size_t i = 0; i < state_.groups.size(); ++i) {
      const KernelGroup& group = state_.groups[i];
      if (group.direction() != direction) continue;
      const KernelGroup::Summary& before = summaries_[i];
      const KernelGroup::Summary now = group.summary();
      if (touched_lists_[i]) {
        tell_chain(before.list.has_value(), now.list.has_value(), PlanEmitter::list_name(group),
                   emitter.list(group), change);
      }
      if (before == now) continue;
      search = search || !group.family() || before.empty() != now.empty();
      if (group.family())
        tell_chain(!before.empty(), !now.empty(), group.name(), emitter.way_in(group), change);
    }
    if (search) change.changed_chains.push_back(emitter.search(direction));
  }
}

void PlanUpdate::tell_chain(bool was, bool is, const std::string& name, nft::Chain chain,
                            PlanChange& change) const {
  if (was && !is) change.lost_chains.push_back(name);
  if (is) (was ? change.changed_chains : change.new_chains).push_back(std::move(chain));
}

}  // namespace rules
