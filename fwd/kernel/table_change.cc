#include "fwd/kernel/table_change.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace fwd::kernel {
namespace {

using rules::nft::Chain;
using rules::nft::Table;

std::unordered_set<std::string_view> set_names(const Table& table) {
  std::unordered_set<std::string_view> names;
  for (const auto& set : table.sets) names.insert(set.name);
  for (const auto& set : table.fixed_sets) names.insert(set.name);
  for (const auto& map : table.maps) names.insert(map.name);
  return names;
}

template <typename T>
std::unordered_map<std::string_view, const T*> by_name(const std::vector<T>& items) {
  std::unordered_map<std::string_view, const T*> names;
  for (const T& item : items) names.emplace(item.name, &item);
  return names;
}

void difference_of_chains(const Table& before, TableChange& change) {
  const auto old_chains = by_name(before.chains);
  const auto new_chains = by_name(change.wanted->chains);
  for (const Chain& chain : before.chains) {
    const auto found = new_chains.find(chain.name);
    if (found != new_chains.end() && *found->second == chain) continue;
    change.flushed_chains.push_back(chain.name);
    if (found == new_chains.end()) change.lost_chains.push_back(chain.name);
  }
  for (const Chain& chain : change.wanted->chains) {
    const auto found = old_chains.find(chain.name);
    if (found != old_chains.end() && *found->second == chain) continue;
    if (found == old_chains.end()) change.new_chains.push_back(&chain);
    change.filled_chains.push_back(&chain);
  }
}

void difference_of_counters(const Table& before, TableChange& change) {
  const std::vector<std::string>& wanted = change.wanted->counters;
  const std::unordered_set<std::string_view> olds(before.counters.begin(), before.counters.end());
  const std::unordered_set<std::string_view> news(wanted.begin(), wanted.end());
  for (const std::string& name : before.counters) {
    if (!news.contains(name)) change.lost_counters.push_back(name);
  }
  for (const std::string& name : wanted) {
    if (!olds.contains(name)) change.new_counters.push_back(name);
  }
}

// A set whose elements or, for a new one, everything differs.
template <typename T>
void difference_of_elements(const std::vector<T>& before, const std::vector<T>& wanted,
                            std::vector<const T*>& added, TableChange& change) {
  const auto olds = by_name(before);
  for (const T& set : wanted) {
    const auto found = olds.find(set.name);
    TableChange::Elements elements{set.name, {}, {}, {}};
    if (found == olds.end()) {
      added.push_back(&set);
      elements.all = elements_of(set);
      elements.gained = elements.all;
    } else if (*found->second != set) {
      const std::vector<KernelElement> old = elements_of(*found->second);
      elements.all = elements_of(set);
      std::ranges::set_difference(old, elements.all, std::back_inserter(elements.lost));
      std::ranges::set_difference(elements.all, old, std::back_inserter(elements.gained));
    } else {
      continue;
    }
    change.elements.push_back(std::move(elements));
  }
}

// What is found under that name is emptied; what isn't found is made.
template <typename T>
void refill(const std::vector<T>& wanted, const std::set<std::string>& found,
            std::vector<const T*>& added, TableChange& change) {
  for (const T& set : wanted) {
    if (found.contains(set.name)) {
      change.flushed_sets.push_back(set.name);
    } else {
      added.push_back(&set);
    }
    std::vector<KernelElement> elements = elements_of(set);
    change.elements.push_back({set.name, elements, {}, elements});
  }
}

}  // namespace

TableChange replace_all(const FoundTable& found, const Table& wanted) {
  TableChange change{&wanted, !found.exists, true};
  const auto chains = by_name(wanted.chains);
  for (const auto& [name, chain] : found.chains) {
    change.flushed_chains.push_back(name);
    if (!chains.contains(name)) change.lost_chains.push_back(name);
  }
  for (const Chain& chain : wanted.chains) {
    if (!found.chains.contains(chain.name)) change.new_chains.push_back(&chain);
    change.filled_chains.push_back(&chain);
  }
  const std::set<std::string> found_sets(found.sets.begin(), found.sets.end());
  for (const rules::nft::Set& set : wanted.sets) {
    if (!found_sets.contains(set.name)) change.new_sets.push_back(&set);
  }
  refill(wanted.fixed_sets, found_sets, change.new_fixed_sets, change);
  refill(wanted.maps, found_sets, change.new_maps, change);
  const auto sets = set_names(wanted);
  std::ranges::copy_if(found.sets, std::back_inserter(change.lost_sets),
                       [&](const std::string& name) { return !sets.contains(name); });
  Table counters;
  for (const auto& [name, packets] : found.counters) counters.counters.push_back(name);
  difference_of_counters(counters, change);
  return change;
}

TableChange difference(const Table& before, const Table& wanted) {
  TableChange change{&wanted};
  difference_of_chains(before, change);
  difference_of_counters(before, change);
  const auto old_sets = set_names(before);
  const auto sets = set_names(wanted);
  for (const std::string_view name : old_sets) {
    if (!sets.contains(name)) change.lost_sets.emplace_back(name);
  }
  for (const rules::nft::Set& set : wanted.sets) {
    if (!old_sets.contains(set.name)) change.new_sets.push_back(&set);
  }
  difference_of_elements(before.fixed_sets, wanted.fixed_sets, change.new_fixed_sets, change);
  difference_of_elements(before.maps, wanted.maps, change.new_maps, change);
  return change;
}

void write(NftBatch& batch, const TableChange& change, QueueExpression queue) {
  const std::string& table = change.wanted->name;
  if (change.new_table) batch.add_table(table, change.wanted->comment);
  for (const std::string& chain : change.flushed_chains) batch.flush_chain(table, chain);
  for (const std::string& set : change.flushed_sets) batch.flush_set(table, set);
  for (const auto& elements : change.elements)
    batch.delete_elements(table, elements.set, elements.lost);
  for (const std::string& set : change.lost_sets) batch.delete_set(table, set);
  for (const std::string& chain : change.lost_chains) batch.delete_chain(table, chain);
  for (const std::string& counter : change.lost_counters) batch.delete_counter(table, counter);

  for (const std::string& counter : change.new_counters) batch.add_counter(table, counter);
  for (const rules::nft::Set* set : change.new_sets) batch.add_set(table, *set);
  for (const rules::nft::FixedSet* set : change.new_fixed_sets) batch.add_set(table, *set);
  for (const rules::nft::Map* map : change.new_maps) batch.add_map(table, *map);
  for (const Chain* chain : change.new_chains) batch.add_chain(table, *chain);
  for (const auto& elements : change.elements)
    batch.add_elements(table, elements.set, elements.gained);
  for (const Chain* chain : change.filled_chains) {
    for (const rules::nft::Rule& rule : chain->rules)
      batch.add_rule(table, chain->name, rule, queue);
  }
}

}  // namespace fwd::kernel
