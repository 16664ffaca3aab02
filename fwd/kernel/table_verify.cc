// verify(): the kernel's table against what was written.
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

// With their rules in order.
Result<void> verify_chain(const std::string& table, const Chain& chain,
                          const std::vector<const FoundRule*>& written, QueueExpression queue) {
  if (written.size() != chain.rules.size())
    return differs("number of rules in chain " + chain.name);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const RulePtr sent = encode_rule(table, chain.name, chain.rules[i], queue);
    if (expressions(sent.get()) != written[i]->expressions ||
        chain.rules[i].comment != written[i]->comment) {
      return differs(fmt::format("rule {} of chain {}", i + 1, chain.name));
    }
  }
  return {};
}

// One dump of all chains, or one of each, whichever is less to read.
Result<std::vector<FoundRule>> read_written(NetlinkSocket& socket, const TableChange& change) {
  if (change.whole) return read_rules(socket, change.wanted->name);
  std::vector<FoundRule> all;
  for (const Chain* chain : change.filled_chains) {
    auto rules = read_rules(socket, change.wanted->name, chain->name);
    if (!rules) return rules;
    std::ranges::move(*rules, std::back_inserter(all));
  }
  return all;
}

Result<void> verify_rules(NetlinkSocket& socket, const TableChange& change, QueueExpression queue) {
  const auto rules = read_written(socket, change);
  if (!rules) return std::unexpected(rules.error());
  std::unordered_map<std::string_view, std::vector<const FoundRule*>> by_chain;
  for (const FoundRule& rule : *rules) by_chain[rule.chain].push_back(&rule);
  for (const Chain* chain : change.filled_chains) {
    auto done = verify_chain(change.wanted->name, *chain, by_chain[chain->name], queue);
    if (!done) return done;
  }
  return {};
}

Result<void> verify_chains(NetlinkSocket& socket, const TableChange& change) {
  const auto found = read_table(socket, change.wanted->name);
  if (!found) return std::unexpected(found.error());
  if (found->chains.size() != change.wanted->chains.size()) return differs("number of chains");
  for (const Chain& chain : change.wanted->chains) {
    const auto entry = found->chains.find(chain.name);
    if (entry == found->chains.end() || !same_base(chain, entry->second))
      return differs("chain " + chain.name);
  }
  return {};
}

// A hash table that is still growing may show an element twice, or not at all
// (net/netfilter/nft_set_hash.c, nft_rhash_walk): then it is read once more.
Result<bool> has_elements(NetlinkSocket& socket, const std::string& table,
                          const TableChange::Elements& wanted) {
  constexpr int kAttempts = 20;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    auto found = read_elements(socket, table, wanted.set);
    if (!found) return std::unexpected(found.error());
    std::ranges::sort(*found);
    const auto repeated = std::ranges::unique(*found);
    found->erase(repeated.begin(), repeated.end());
    if (*found == wanted.all) return true;
  }
  return false;
}

Result<void> verify_elements(NetlinkSocket& socket, const TableChange& change) {
  for (const TableChange::Elements& elements : change.elements) {
    const auto same = has_elements(socket, change.wanted->name, elements);
    if (!same) return std::unexpected(same.error());
    if (!*same) return differs("elements of " + elements.set);
  }
  return {};
}

}  // namespace

Result<void> verify(NetlinkSocket& socket, const TableChange& change, QueueExpression queue) {
  if (change.whole) {
    if (auto done = verify_chains(socket, change); !done) return done;
  }
  if (auto done = verify_rules(socket, change, queue); !done) return done;
  return verify_elements(socket, change);
}

}  // namespace fwd::kernel
