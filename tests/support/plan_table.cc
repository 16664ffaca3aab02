#include "tests/support/plan_table.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace tests {
namespace {

using rules::nft::Chain;
using rules::nft::Element;
using rules::nft::FixedSet;
using rules::nft::Map;
using rules::nft::Table;

template <typename T>
T& named(std::vector<T>& items, const std::string& name) {
  const auto found = std::ranges::find(items, name, &T::name);
  if (found == items.end()) throw std::logic_error("there is no " + name);
  return *found;
}

template <typename T>
void add(std::vector<T>& items, T item) {
  if (std::ranges::find(items, item.name, &T::name) != items.end())
    throw std::logic_error("there is a " + item.name);
  items.push_back(std::move(item));
}

template <typename T>
void remove(std::vector<T>& items, const T& item, const std::string& from) {
  const auto found = std::ranges::find(items, item);
  if (found == items.end()) throw std::logic_error("something isn't in " + from);
  items.erase(found);
}

void take_away(const rules::PlanChange& change, Table& table) {
  for (const auto& [map, lost, gained] : change.elements) {
    for (const Element& element : lost)
      remove(named(table.maps, map.name).elements, element, map.name);
  }
  for (const auto& [set, lost, gained] : change.members) {
    for (const auto& member : lost)
      remove(named(table.fixed_sets, set.name).members, member, set.name);
  }
  for (const std::string& name : change.lost_sets) {
    const auto is = [&](const auto& item) { return item.name == name; };
    if (std::erase_if(table.fixed_sets, is) + std::erase_if(table.maps, is) != 1)
      throw std::logic_error("there is no " + name);
  }
  for (const std::string& name : change.lost_chains) {
    (void)named(table.chains, name);
    std::erase_if(table.chains, [&](const Chain& chain) { return chain.name == name; });
  }
}

}  // namespace

Table table_of(const rules::KernelPlan& plan) {
  Table table{"plan"};
  const rules::PlanEmitter emitter = plan.emit();
  emitter.for_each_set(
      [&](const rules::MemberSet& set) { add(table.fixed_sets, set.with_members()); });
  emitter.for_each_map([&](const Map& map) { add(table.maps, map); });
  emitter.for_each_element([&](const Map& map, const Element& element) {
    named(table.maps, map.name).elements.push_back(element);
  });
  emitter.for_each_chain([&](const Chain& chain) { table.chains.push_back(chain); });
  std::ranges::sort(table.fixed_sets, {}, &FixedSet::name);
  return table;
}

void apply(rules::PlanChange change, Table& table) {
  take_away(change, table);
  for (const rules::MemberSet& set : change.new_sets) add(table.fixed_sets, set.with_members());
  for (const Map& map : change.new_maps) add(table.maps, map);
  for (Chain& chain : change.new_chains) add(table.chains, std::move(chain));
  for (Chain& chain : change.changed_chains) {
    Chain& old = named(table.chains, chain.name);
    old = std::move(chain);
  }
  for (const auto& [map, lost, gained] : change.elements) {
    std::vector<Element>& elements = named(table.maps, map.name).elements;
    for (const Element& element : gained) {
      if (std::ranges::find(elements, element.key, &Element::key) != elements.end())
        throw std::logic_error("a key twice in " + map.name);
      elements.push_back(element);
    }
  }
  for (const auto& [set, lost, gained] : change.members) {
    auto& members = named(table.fixed_sets, set.name).members;
    members.insert(members.end(), gained.begin(), gained.end());
  }
}

void sort_table(Table& table) {
  std::ranges::sort(table.fixed_sets, {}, &FixedSet::name);
  std::ranges::sort(table.maps, {}, &Map::name);
  std::ranges::sort(table.chains, {}, &Chain::name);
  for (FixedSet& set : table.fixed_sets)
    std::ranges::sort(set.members, {}, &rules::nft::Interval::first);
  for (Map& map : table.maps) std::ranges::sort(map.elements, {}, &Element::key);
}

}  // namespace tests
