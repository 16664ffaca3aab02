// verify() and verify_whole(): the kernel's table against what was written.
#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fmt/core.h>
#include <linux/netfilter.h>

#include "fwd/kernel/table_change.h"

namespace fwd::kernel {
namespace {

using rules::nft::Chain;
using rules::nft::Element;
using rules::nft::Map;

std::unexpected<SystemError> differs(const std::string& what) {
  return failed(fmt::format("the kernel's table differs from what was written: {}", what), 0);
}

bool same_base(const Chain& wanted, const FoundChain& found) {
  if (!wanted.base) return !found.hook;
  const std::uint32_t hook = wanted.base->hook == rules::nft::BaseChain::Hook::Input
                                 ? NF_INET_LOCAL_IN
                                 : NF_INET_LOCAL_OUT;
  return found.hook == hook && found.priority == wanted.base->priority && found.policy == NF_ACCEPT;
}

bool same_rule(const std::string& table, const std::string& chain, const rules::nft::Rule& wanted,
               const FoundRule& found, QueueExpression queue) {
  const RulePtr sent = encode_rule(table, chain, wanted, queue);
  return expressions(sent.get()) == found.expressions && wanted.comment == found.comment;
}

// Chain by chain: the kernel looks through all rules again for every part of a dump of all of them.
Result<void> verify_chain(NetlinkSocket& socket, const std::string& table, const Chain& chain,
                          QueueExpression queue) {
  const auto found = read_rules(socket, table, chain.name);
  if (!found) return std::unexpected(found.error());
  if (found->size() != chain.rules.size()) return differs("number of rules in chain " + chain.name);
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (!same_rule(table, chain.name, chain.rules[i], (*found)[i], queue))
      return differs(fmt::format("rule {} of chain {}", i + 1, chain.name));
  }
  return {};
}

Result<void> verify_changed_rule(NetlinkSocket& socket, const std::string& table,
                                 const TableChange::ChangedRule& changed, QueueExpression queue) {
  const auto found = read_rules(socket, table, changed.chain);
  if (!found) return std::unexpected(found.error());
  if (changed.position >= found->size() ||
      !same_rule(table, changed.chain, changed.rule, (*found)[changed.position], queue))
    return differs(fmt::format("rule {} of chain {}", changed.position + 1, changed.chain));
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

// The kernel lists a set in parts and walks from its beginning to each: a million members take it half a minute. Of
// what is so large some are looked for, evenly spread: more of what somebody else may have changed than of what has
// just been written.
constexpr std::size_t kMostListed = 50'000;
constexpr std::size_t kSample = 4096;
constexpr std::size_t kSampleOfWritten = 1024;

std::size_t stride_through(std::size_t count, std::size_t sample = kSample) {
  return count > kMostListed ? count / sample : 1;
}

Result<void> verify_sample(NetlinkSocket& socket, const std::string& table,
                           const rules::MemberSet& set, std::size_t sample_size) {
  const std::size_t stride = stride_through(set.size(), sample_size);
  TableChange::Elements sample{.set = set.name, .lost = {}, .gained = {}};
  std::size_t passed = stride;
  set.for_each_of(0, set.addresses->size(), [&](const rules::AddressRange& member) {
    if (++passed <= stride) return;
    append_member(set, {member.first, member.last}, sample.gained);
    passed = 1;
  });
  return verify_change(socket, table, sample);
}

Result<void> verify_members(NetlinkSocket& socket, const std::string& table,
                            const rules::MemberSet& set, std::size_t sample_size) {
  if (set.size() > kMostListed) return verify_sample(socket, table, set, sample_size);
  std::vector<std::size_t> wanted;
  std::vector<KernelElement> elements;
  set.for_each([&](const rules::nft::Interval& member) {
    elements.clear();
    append_member(set, member, elements);
    for (const KernelElement& one : elements) wanted.push_back(hash_of(one));
  });
  return verify_all(socket, table, set.name, std::move(wanted));
}

// Also that there is no other. Where the plan has very many, some of its are looked into; of the fixed part's, all.
Result<void> verify_chains(NetlinkSocket& socket, const WantedTable& wanted, QueueExpression queue,
                           const Undisturbed& undisturbed) {
  const std::string& table = wanted.fixed.name;
  const auto found = read_chains(socket, table, undisturbed);
  if (!found) return std::unexpected(found.error());
  const std::size_t stride = stride_through(found->size());
  std::unordered_set<std::string_view> fixed;
  for (const Chain& chain : wanted.fixed.chains) fixed.insert(chain.name);
  Result<void> done;
  std::size_t count = 0;
  wanted.for_each_chain([&](const Chain& chain) {
    const bool looked_into = count++ % stride == 0 || fixed.contains(chain.name);
    if (!done) return;
    const auto entry = found->find(chain.name);
    const bool there = entry != found->end() && same_base(chain, entry->second);
    if (!there)
      done = differs("chain " + chain.name);
    else if (looked_into)
      done = verify_chain(socket, table, chain, queue);
  });
  if (done && found->size() != count) return differs("number of chains");
  return done;
}

Result<void> verify_maps(NetlinkSocket& socket, const WantedTable& wanted) {
  const std::string& table = wanted.fixed.name;
  struct Contents {
    std::size_t size = 0;
    std::size_t number = 0;  // of the element that comes next
    std::vector<std::size_t> all = {};
    TableChange::Elements sample = {};
  };
  std::unordered_map<std::string, Contents> maps;
  wanted.for_each_map([&](const Map& map) { maps[map.name].sample.set = map.name; });
  wanted.for_each_element([&](const Map& map, const Element&) { ++maps[map.name].size; });
  wanted.for_each_element([&](const Map& map, const Element& element) {
    Contents& contents = maps[map.name];
    const std::size_t stride = stride_through(contents.size);
    if (stride == 1)
      contents.all.push_back(hash_of(element_of(map, element)));
    else if (contents.number++ % stride == 0)
      contents.sample.gained.push_back(element_of(map, element));
  });
  for (auto& [name, contents] : maps) {
    const bool listed = contents.size <= kMostListed;
    auto done = listed ? verify_all(socket, table, name, std::move(contents.all))
                       : verify_change(socket, table, contents.sample);
    if (!done) return done;
  }
  return {};
}

Result<void> verify_elements(NetlinkSocket& socket, const WantedTable& wanted) {
  Result<void> done;
  wanted.for_each_set([&](const rules::MemberSet& set) {
    if (done) done = verify_members(socket, wanted.fixed.name, set, kSample);
  });
  if (!done) return done;
  return verify_maps(socket, wanted);
}

}  // namespace

Result<void> verify(NetlinkSocket& socket, const TableChange& change, QueueExpression queue) {
  for (const auto& [chain, added] : change.filled_chains) {
    if (auto done = verify_chain(socket, change.table, chain, queue); !done) return done;
  }
  for (const TableChange::ChangedRule& changed : change.changed_rules) {
    if (auto done = verify_changed_rule(socket, change.table, changed, queue); !done) return done;
  }
  for (const TableChange::Elements& elements : change.elements) {
    if (auto done = verify_change(socket, change.table, elements); !done) return done;
  }
  for (const rules::MemberSet& set : change.new_member_sets) {
    if (auto done = verify_members(socket, change.table, set, kSampleOfWritten); !done) return done;
  }
  return {};
}

Result<void> verify_whole(NetlinkSocket& socket, const WantedTable& wanted, QueueExpression queue,
                          const Undisturbed& undisturbed) {
  if (auto done = verify_chains(socket, wanted, queue, undisturbed); !done) return done;
  return verify_elements(socket, wanted);
}

}  // namespace fwd::kernel
