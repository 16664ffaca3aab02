// A whole table as values, for tests that read it or run it.
#pragma once

#include <algorithm>
#include <iterator>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/wanted_table.h"

namespace tests {

inline rules::nft::Table whole_table(const fwd::kernel::WantedTable& wanted) {
  rules::nft::Table table = wanted.fixed;
  table.chains.clear();
  table.maps.clear();
  const auto counters = wanted.counters();
  table.counters.assign(counters.begin(), counters.end());
  std::ranges::sort(table.counters);
  wanted.for_each_set([&](const auto& set) { table.fixed_sets.push_back(set.with_members()); });
  wanted.for_each_map([&](const auto& map) {
    table.maps.push_back(map);
    table.maps.back().elements.clear();
  });
  wanted.for_each_element([&](const auto& map, const auto& element) {
    std::ranges::find(table.maps, map.name, &rules::nft::Map::name)->elements.push_back(element);
  });
  wanted.for_each_chain([&](const auto& chain) { table.chains.push_back(chain); });
  return table;
}

inline rules::nft::Table whole_table(const rules::Policy& policy,
                                     fwd::kernel::Generation generation, fwd::Mode mode,
                                     const fwd::kernel::TableSettings& settings) {
  rules::KernelPlan plan;
  (void)plan.update(policy);
  const auto fixed = fwd::kernel::build_fixed({}, policy, plan, generation, mode, settings).whole();
  return whole_table({fixed, plan});
}

}  // namespace tests
