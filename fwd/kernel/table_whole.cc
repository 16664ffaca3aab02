// write_whole(): everything anew, whatever is found. Base chains and counters that are there stay.
#include <string>
#include <unordered_set>
#include <vector>

#include "fwd/kernel/table_change.h"

namespace fwd::kernel {
namespace {

using rules::nft::Chain;
using rules::nft::Element;
using rules::nft::Map;

// The elements of one map after the other, in messages that are full.
class ElementWriter {
 public:
  ElementWriter(NftBatch& batch, const std::string& table) : batch_(batch), table_(table) {}

  void add(const Map& map, const Element& element) {
    constexpr std::size_t kAtOnce = 512;
    if (map.name != map_ || elements_.size() == kAtOnce) flush();
    map_ = map.name;
    elements_.push_back(element_of(map, element));
  }
  void flush() {
    batch_.add_elements(table_, map_, elements_);
    elements_.clear();
  }

 private:
  NftBatch& batch_;
  const std::string& table_;
  std::string map_;
  std::vector<KernelElement> elements_;
};

class WholeWriter {
 public:
  WholeWriter(NftBatch& batch, const FoundTable& found, const WantedTable& wanted)
      : batch_(batch),
        found_(found),
        wanted_(wanted),
        table_(wanted.fixed.name),
        found_sets_(found.sets.begin(), found.sets.end()) {}

  void write(QueueExpression queue) {
    if (!found_.exists) batch_.add_table(table_, wanted_.fixed.comment);
    for (const auto& [name, chain] : found_.chains) batch_.flush_chain(table_, name);
    replace_names();
    wanted_.for_each_set([&](const rules::MemberSet& set) { batch_.add_members(table_, set); });
    ElementWriter elements(batch_, table_);
    wanted_.for_each_element(
        [&](const Map& map, const Element& element) { elements.add(map, element); });
    elements.flush();
    wanted_.for_each_chain([&](const Chain& chain) {
      for (const rules::nft::Rule& rule : chain.rules)
        batch_.add_rule(table_, chain.name, rule, queue);
    });
  }

 private:
  // What is found under a name that is wanted is emptied, other things are taken away, what is missing is made.
  void replace_names() {
    flush_sets();
    std::unordered_set<std::string> chains;
    wanted_.for_each_empty_chain([&](const Chain& chain) { chains.insert(chain.name); });
    for (const auto& [name, chain] : found_.chains) {
      if (!chains.contains(name)) batch_.delete_chain(table_, name);
    }
    const auto counters = wanted_.counters();
    for (const auto& [name, packets] : found_.counters) {
      if (!counters.contains(name)) batch_.delete_counter(table_, name);
    }
    for (const std::string& name : counters) {
      if (!found_.counters.contains(name)) batch_.add_counter(table_, name);
    }
    add_sets();
    wanted_.for_each_empty_chain([&](const Chain& chain) {
      // One that is at a hook and there gets its policy back.
      if (chain.base || !found_.chains.contains(chain.name)) batch_.add_chain(table_, chain);
    });
  }

  void flush_sets() {
    std::unordered_set<std::string> kept;
    for (const rules::nft::Set& set : wanted_.fixed.sets) kept.insert(set.name);
    const auto flush = [&](const std::string& name) {
      kept.insert(name);
      if (found_sets_.contains(name)) batch_.flush_set(table_, name);
    };
    wanted_.for_each_set([&](const rules::MemberSet& set) { flush(set.name); });
    wanted_.for_each_map([&](const Map& map) { flush(map.name); });
    for (const std::string& name : found_.sets) {
      if (!kept.contains(name)) batch_.delete_set(table_, name);
    }
  }

  void add_sets() {
    for (const rules::nft::Set& set : wanted_.fixed.sets) {
      if (!found_sets_.contains(set.name)) batch_.add_set(table_, set);
    }
    wanted_.for_each_set([&](const rules::MemberSet& set) {
      if (!found_sets_.contains(set.name)) batch_.add_set(table_, set.without_members());
    });
    wanted_.for_each_map([&](const Map& map) {
      if (!found_sets_.contains(map.name)) batch_.add_map(table_, map);
    });
  }

  NftBatch& batch_;
  const FoundTable& found_;
  const WantedTable& wanted_;
  const std::string& table_;
  std::unordered_set<std::string> found_sets_;
};

}  // namespace

void write_whole(NftBatch& batch, const FoundTable& found, const WantedTable& wanted,
                 QueueExpression queue) {
  WholeWriter(batch, found, wanted).write(queue);
}

}  // namespace fwd::kernel
