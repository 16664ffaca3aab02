// verify() and verify_whole(): the kernel's table against what was written.
#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <linux/netfilter.h>

#include "fwd/kernel/table_change.h"

namespace fwd::kernel {
namespace {

using rules::nft::Chain;

std::unexpected<SystemError> differs(const std::string& what) {
  return failed(fmt::format("the kernel's table differs from what was written: {}", what), 0);
}

bool same_base(const Chain& wanted, const FoundChain& found) {
  if (!wanted.base) return !found.hook;
  const std::uint32_t hook = wanted.base->hook == rules::nft::BaseChain::Hook::Input
                                 ? NF_INET_LOCAL_IN
                                 : NF_INET_LOCAL_OUT;
  return found.hook == hook && found.priority == wanted.base->priority;
}

// Chain by chain: the kernel looks through all rules again for every part of a dump of all of them.
Result<void> verify_chain(NetlinkSocket& socket, const std::string& table, const Chain& chain,
                          QueueExpression queue) {
  const auto found = read_rules(socket, table, chain.name);
  if (!found) return std::unexpected(found.error());
  if (found->size() != chain.rules.size()) return differs("number of rules in chain " + chain.name);
  for (std::size_t i = 0; i < found->size(); ++i) {
    const RulePtr sent = encode_rule(table, chain.name, chain.rules[i], queue);
    if (expressions(sent.get()) != (*found)[i].expressions ||
        chain.rules[i].comment != (*found)[i].comment)
      return differs(fmt::format("rule {} of chain {}", i + 1, chain.name));
  }
  return {};
}

bool has(const std::vector<KernelElement>& elements, const KernelElement& one) {
  return std::ranges::find(elements, one) != elements.end();
}

// What was gained is there, and what was lost and not gained again isn't.
Result<void> verify_change(NetlinkSocket& socket, const std::string& table,
                           const TableChange::Elements& elements) {
  auto there = find_elements(socket, table, elements.set, elements.gained);
  if (!there) return std::unexpected(there.error());
  std::ranges::sort(*there);
  const auto missing = [&](const KernelElement& one) {
    return !std::ranges::binary_search(*there, one);
  };
  if (std::ranges::any_of(elements.gained, missing)) return differs("elements of " + elements.set);
  const auto left = find_elements(socket, table, elements.set, elements.lost);
  if (!left) return std::unexpected(left.error());
  const auto lost = [&](const KernelElement& one) {
    return has(elements.lost, one) && missing(one);
  };
  if (std::ranges::any_of(*left, lost)) return differs("elements of " + elements.set);
  return {};
}

// A hash table that is still growing may show an element twice, or not at all
// (net/netfilter/nft_set_hash.c, nft_rhash_walk): then it is read once more.
Result<void> verify_all(NetlinkSocket& socket, const std::string& table, const std::string& set,
                        std::vector<std::size_t> wanted) {
  constexpr int kAttempts = 20;
  std::ranges::sort(wanted);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto found = read_elements(socket, table, set);
    if (!found) return std::unexpected(found.error());
    if (*found == wanted) return {};
  }
  return differs("elements of " + set);
}

// The kernel lists a set in parts and walks from its beginning to each: a million members take it half a minute. Of a
// set so large some members are looked for, evenly spread.
constexpr std::size_t kMostListed = 50'000;
constexpr std::size_t kSample = 4096;

Result<void> verify_sample(NetlinkSocket& socket, const std::string& table,
                           const rules::MemberSet& set) {
  const std::size_t stride = set.size() / kSample;
  TableChange::Elements sample{.set = set.name, .lost = {}, .gained = {}};
  std::size_t number = 0;
  set.for_each([&](const rules::nft::Interval& member) {
    if (number++ % stride == 0) append_member(set, member, sample.gained);
  });
  return verify_change(socket, table, sample);
}

Result<void> verify_members(NetlinkSocket& socket, const std::string& table,
                            const rules::MemberSet& set) {
  if (set.size() > kMostListed) return verify_sample(socket, table, set);
  std::vector<std::size_t> wanted;
  std::vector<KernelElement> elements;
  set.for_each([&](const rules::nft::Interval& member) {
    elements.clear();
    append_member(set, member, elements);
    for (const KernelElement& one : elements) wanted.push_back(hash_of(one));
  });
  return verify_all(socket, table, set.name, std::move(wanted));
}

// Also that there is no other.
Result<void> verify_chains(NetlinkSocket& socket, const WantedTable& wanted,
                           QueueExpression queue) {
  const std::string& table = wanted.fixed.name;
  const auto found = read_chains(socket, table);
  if (!found) return std::unexpected(found.error());
  Result<void> done;
  std::size_t count = 0;
  wanted.for_each_chain([&](const Chain& chain) {
    ++count;
    if (!done) return;
    const auto entry = found->find(chain.name);
    const bool there = entry != found->end() && same_base(chain, entry->second);
    done = there ? verify_chain(socket, table, chain, queue) : differs("chain " + chain.name);
  });
  if (done && found->size() != count) return differs("number of chains");
  return done;
}

Result<void> verify_elements(NetlinkSocket& socket, const WantedTable& wanted) {
  const std::string& table = wanted.fixed.name;
  Result<void> done;
  wanted.for_each_set([&](const rules::MemberSet& set) {
    if (done) done = verify_members(socket, table, set);
  });
  if (!done) return done;
  std::unordered_map<std::string, std::vector<std::size_t>> maps;
  wanted.for_each_map([&](const rules::nft::Map& map) { maps.try_emplace(map.name); });
  wanted.for_each_element([&](const rules::nft::Map& map, const rules::nft::Element& element) {
    maps[map.name].push_back(hash_of(element_of(map, element)));
  });
  for (auto& [name, elements] : maps) {
    done = verify_all(socket, table, name, std::move(elements));
    if (!done) return done;
  }
  return {};
}

}  // namespace

Result<void> verify(NetlinkSocket& socket, const TableChange& change, QueueExpression queue) {
  for (const auto& [chain, added] : change.filled_chains) {
    if (auto done = verify_chain(socket, change.table, chain, queue); !done) return done;
  }
  for (const TableChange::Elements& elements : change.elements) {
    if (auto done = verify_change(socket, change.table, elements); !done) return done;
  }
  for (const rules::MemberSet& set : change.new_member_sets) {
    if (auto done = verify_members(socket, change.table, set); !done) return done;
  }
  return {};
}

Result<void> verify_whole(NetlinkSocket& socket, const WantedTable& wanted, QueueExpression queue) {
  if (auto done = verify_chains(socket, wanted, queue); !done) return done;
  return verify_elements(socket, wanted);
}

}  // namespace fwd::kernel
