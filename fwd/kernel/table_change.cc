// difference(), find_handles() and write().
#include "fwd/kernel/table_change.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "fwd/kernel/copy_chains.h"
#include "fwd/log.h"

namespace fwd::kernel {
namespace {

using rules::nft::Chain;
using rules::nft::Field;
using rules::nft::Table;

std::unordered_map<std::string_view, const Chain*> by_name(const std::vector<Chain>& chains) {
  std::unordered_map<std::string_view, const Chain*> names;
  for (const Chain& chain : chains) names.emplace(chain.name, &chain);
  return names;
}

// What the kernel writes without going through the table, and what refers to nothing else in it.
bool is_of_conntrack_alone(const rules::nft::Rule& rule) {
  const auto of_conntrack = [](const rules::nft::Statement& statement) {
    const auto* compare = std::get_if<rules::nft::Compare>(&statement);
    const auto* assign = std::get_if<rules::nft::Assign>(&statement);
    if (compare == nullptr && assign == nullptr) return false;
    const Field field = compare != nullptr ? compare->field : assign->field;
    return field == Field::CtMark || field == Field::CtState;
  };
  return std::ranges::all_of(rule.statements, of_conntrack);
}

// A base chain, of which no rule differs but such.
bool changes_in_place(const Chain& before, const Chain& wanted) {
  if (!wanted.base || before.base != wanted.base) return false;
  return std::ranges::equal(before.rules, wanted.rules, [](const auto& old, const auto& now) {
    return old == now || (is_of_conntrack_alone(old) && is_of_conntrack_alone(now));
  });
}

void add_changed_rules(const Chain& before, const Chain& wanted, TableChange& change) {
  for (std::size_t i = 0; i < wanted.rules.size(); ++i) {
    if (wanted.rules[i] != before.rules[i])
      change.changed_rules.push_back({wanted.name, i, wanted.rules[i]});
  }
}

void difference_of_chains(const Table& before, const Table& wanted, TableChange& change) {
  const auto old_chains = by_name(before.chains);
  const auto new_chains = by_name(wanted.chains);
  for (const Chain& chain : before.chains) {
    if (!new_chains.contains(chain.name)) {
      change.flushed_chains.push_back(chain.name);
      change.lost_chains.push_back(chain.name);
    }
  }
  for (const Chain& chain : wanted.chains) {
    const auto found = old_chains.find(chain.name);
    if (found == old_chains.end()) {
      change.filled_chains.push_back({chain, true});
    } else if (changes_in_place(*found->second, chain)) {
      add_changed_rules(*found->second, chain, change);
    } else if (*found->second != chain) {
      change.flushed_chains.push_back(chain.name);
      change.filled_chains.push_back({chain, false});
    }
  }
}

void difference_of_sets(const Table& before, const Table& wanted, TableChange& change) {
  std::unordered_set<std::string_view> olds;
  std::unordered_set<std::string_view> news;
  for (const rules::nft::Set& set : before.sets) olds.insert(set.name);
  for (const rules::nft::Set& set : wanted.sets) news.insert(set.name);
  for (const rules::nft::Set& set : before.sets) {
    if (!news.contains(set.name)) change.lost_sets.push_back(set.name);
  }
  for (const rules::nft::Set& set : wanted.sets) {
    if (!olds.contains(set.name)) change.new_sets.push_back(set);
  }
}

std::vector<KernelElement> elements_of(const rules::nft::Map& map,
                                       const std::vector<rules::nft::Element>& elements) {
  std::vector<KernelElement> out;
  out.reserve(elements.size());
  for (const rules::nft::Element& element : elements) out.push_back(element_of(map, element));
  return out;
}

// Those of the generation; the fixed part has the same maps always.
void difference_of_maps(const Table& before, const Table& wanted, TableChange& change) {
  for (const rules::nft::Map& map : wanted.maps) {
    const auto old = std::ranges::find(before.maps, map.name, &rules::nft::Map::name);
    if (old == before.maps.end() || old->elements == map.elements) continue;
    change.elements.push_back(
        {map.name, elements_of(map, old->elements), elements_of(map, map.elements)});
  }
}

void add_difference(const Table& before, const Table& wanted, TableChange& change) {
  difference_of_chains(before, wanted, change);
  difference_of_sets(before, wanted, change);
  difference_of_maps(before, wanted, change);
}

// Of the maps that a label is in, its rule's.
void add_labels(const rules::PlanChange& plan, const rules::nft::Map& map,
                const std::function<bool(const rules::PlannedRule&)>& is_in,
                const std::function<rules::nft::Element(const rules::PlannedRule&)>& element,
                TableChange& change) {
  TableChange::Elements elements{map.name};
  for (const rules::PlannedRule& rule : plan.lost_rules) {
    if (is_in(rule)) elements.lost.push_back(element_of(map, element(rule)));
  }
  for (const rules::PlannedRule& rule : plan.gained_rules) {
    if (is_in(rule)) elements.gained.push_back(element_of(map, element(rule)));
  }
  change.elements.push_back(std::move(elements));
}

void add_rules(const rules::PlanChange& plan, TableChange& change) {
  const auto all = [](const rules::PlannedRule&) { return true; };
  add_labels(plan, count_map(), all, count_element, change);
  for (const rules::Action action : kActions) {
    const auto does = [&](const rules::PlannedRule& rule) { return rule.action == action; };
    add_labels(plan, action_map(action), does, action_element, change);
  }
  for (const std::string& id : plan.lost_ids) change.lost_counters.push_back(rule_counter(id));
  for (const std::string& id : plan.gained_ids) change.new_counters.push_back(rule_counter(id));
}

void add_plan(rules::PlanChange plan, TableChange& change) {
  add_rules(plan, change);
  for (const auto& elements : plan.elements) {
    change.elements.push_back({elements.map.name, elements_of(elements.map, elements.lost),
                               elements_of(elements.map, elements.gained)});
  }
  for (const rules::MemberChange& members : plan.members) {
    TableChange::Elements elements{members.set.name};
    for (const auto& member : members.lost) append_member(members.set, member, elements.lost);
    for (const auto& member : members.gained) append_member(members.set, member, elements.gained);
    change.elements.push_back(std::move(elements));
  }
  std::ranges::move(plan.lost_sets, std::back_inserter(change.lost_sets));
  std::ranges::move(plan.new_maps, std::back_inserter(change.new_maps));
  std::ranges::move(plan.new_sets, std::back_inserter(change.new_member_sets));
  for (std::string& chain : plan.lost_chains) {
    change.flushed_chains.push_back(chain);
    change.lost_chains.push_back(std::move(chain));
  }
  for (Chain& chain : plan.new_chains) change.filled_chains.push_back({std::move(chain), true});
  for (Chain& chain : plan.changed_chains) {
    change.flushed_chains.push_back(chain.name);
    change.filled_chains.push_back({std::move(chain), false});
  }
}

// Ranges' kernel sets are sorted anew with each transaction (net/netfilter/nft_set_rbtree.c).
bool is_ahead(const TableChange& change, const rules::MemberSet& set) {
  return set.room != 0 && std::ranges::find(change.lost_sets, set.name) == change.lost_sets.end();
}

}  // namespace

TableChange difference(const FixedPart& before, const FixedPart& wanted, rules::PlanChange plan) {
  TableChange change{wanted.current.name};
  if (before.lasting != wanted.lasting)
    add_difference(before.lasting ? *before.lasting : Table{}, *wanted.lasting, change);
  add_difference(before.current, wanted.current, change);
  add_plan(std::move(plan), change);
  return change;
}

Result<void> find_handles(NetlinkSocket& socket, const TableChange& change, RuleHandles& handles) {
  for (const TableChange::ChangedRule& changed : change.changed_rules) {
    std::vector<std::uint64_t>& known = handles[changed.chain];
    if (known.empty()) {
      const auto rules = read_rules(socket, change.table, changed.chain);
      if (!rules) return std::unexpected(rules.error());
      for (const FoundRule& rule : *rules) known.push_back(rule.handle);
    }
    if (changed.position >= known.size())
      return failed("chain " + changed.chain + " has fewer rules than were written", 0);
  }
  return {};
}

Result<void> write_ahead(NftBatch& batch, const TableChange& change, std::size_t rules,
                         const Send& send) {
  constexpr std::size_t kLeast = 4096;
  constexpr std::size_t kMost = 32'768;
  const std::size_t at_once = std::clamp(4 * rules, kLeast, kMost);
  for (const rules::MemberSet& set : change.new_member_sets) {
    if (!is_ahead(change, set)) continue;
    batch.add_set(change.table, set.without_members());
    const std::size_t all = set.addresses->size();
    for (std::size_t first = 0; first < all; first += at_once) {
      batch.add_members_of(change.table, set, first, at_once);
      if (batch.size() == 0) continue;
      if (auto sent = send(); !sent) return sent;
      batch.clear();
    }
  }
  return {};
}

// One by one: those behind the one that failed aren't there.
void take_back(NftBatch& batch, const TableChange& change, const Send& send) {
  for (const rules::MemberSet& set : change.new_member_sets) {
    if (!is_ahead(change, set)) continue;
    batch.clear();
    batch.delete_set(change.table, set.name);
    if (auto sent = send(); !sent && sent.error().code != ENOENT)
      log::info("{}", sent.error().message());
  }
}

void write(NftBatch& batch, const TableChange& change, const RuleHandles& handles,
           QueueExpression queue) {
  const std::string& table = change.table;
  for (const std::string& chain : change.flushed_chains) batch.flush_chain(table, chain);
  for (const auto& elements : change.elements)
    batch.delete_elements(table, elements.set, elements.lost);
  for (const std::string& set : change.lost_sets) batch.delete_set(table, set);
  for (const std::string& chain : change.lost_chains) batch.delete_chain(table, chain);
  for (const std::string& counter : change.lost_counters) batch.delete_counter(table, counter);

  for (const std::string& counter : change.new_counters) batch.add_counter(table, counter);
  for (const rules::nft::Set& set : change.new_sets) batch.add_set(table, set);
  for (const rules::nft::Map& map : change.new_maps) batch.add_map(table, map);
  for (const rules::MemberSet& set : change.new_member_sets) {
    if (is_ahead(change, set)) continue;
    batch.add_set(table, set.without_members());
    batch.add_members(table, set);
  }
  for (const auto& [chain, added] : change.filled_chains) {
    if (added) batch.add_chain(table, chain);
  }
  for (const auto& elements : change.elements)
    batch.add_elements(table, elements.set, elements.gained);
  for (const auto& [chain, added] : change.filled_chains) {
    for (const rules::nft::Rule& rule : chain.rules) batch.add_rule(table, chain.name, rule, queue);
  }
  for (const TableChange::ChangedRule& changed : change.changed_rules)
    batch.replace_rule(table, changed.chain, handles.at(changed.chain).at(changed.position),
                       changed.rule, queue);
}

}  // namespace fwd::kernel
