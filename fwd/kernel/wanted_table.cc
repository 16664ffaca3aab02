#include "fwd/kernel/wanted_table.h"

#include "fwd/kernel/copy_chains.h"

namespace fwd::kernel {

using rules::nft::Chain;
using rules::nft::Element;
using rules::nft::Map;

std::unordered_set<std::string> WantedTable::counters() const {
  std::unordered_set<std::string> names(fixed.counters.begin(), fixed.counters.end());
  for (const rules::PlannedRule& rule : plan.rules())
    names.insert(rule_counter(rule.rule->id.view()));
  return names;
}

void WantedTable::for_each_chain(const std::function<void(const Chain&)>& visit) const {
  plan.emit().for_each_chain(visit);
  for (const Chain& chain : fixed.chains) visit(chain);
}

void WantedTable::for_each_empty_chain(const std::function<void(const Chain&)>& visit) const {
  plan.emit().for_each_chain_name([&](const std::string& name) { visit({name}); });
  for (const Chain& chain : fixed.chains) visit({chain.name, chain.base});
}

void WantedTable::for_each_map(const std::function<void(const Map&)>& visit) const {
  plan.emit().for_each_map(visit);
  for (const Map& map : fixed.maps) visit(map);
}

void WantedTable::for_each_element(
    const std::function<void(const Map&, const Element&)>& visit) const {
  plan.emit().for_each_element(visit);
  for (const Map& map : fixed.maps) {
    for (const Element& element : map.elements) visit(map, element);
  }
  const Map counts = count_map();
  for (const rules::PlannedRule& rule : plan.rules()) visit(counts, count_element(rule));
  for (const rules::Action action : kActions) {
    const Map labels = action_map(action);
    for (const rules::PlannedRule& rule : plan.rules()) {
      if (rule.action == action) visit(labels, action_element(rule));
    }
  }
}

void WantedTable::for_each_set(const std::function<void(const rules::MemberSet&)>& visit) const {
  plan.emit().for_each_set(visit);
}

}  // namespace fwd::kernel
