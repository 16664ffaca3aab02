// What a commit does to the kernel's table: all that is found is replaced, or only what differs from what was
// written last.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_elements.h"
#include "fwd/kernel/nft_reader.h"
#include "fwd/kernel/wanted_table.h"
#include "rules/kernel_plan.h"
#include "rules/nft.h"

namespace fwd::kernel {

// Worked out before it is written, and kept to verify it.
struct TableChange {
  struct Elements {
    std::string set;
    std::vector<KernelElement> lost = {};
    std::vector<KernelElement> gained = {};
  };
  struct FilledChain {
    rules::nft::Chain chain;
    bool added;  // else it is emptied first
  };
  // Of a base chain, whose other rules stay: to write one that has a verdict, the kernel goes through the whole table.
  struct ChangedRule {
    std::string chain;
    std::size_t position;  // from 0
    rules::nft::Rule rule;
  };

  std::string table;

  // Taken away first, in this order, and before them the elements that are lost.
  std::vector<std::string> flushed_chains = {};
  std::vector<std::string> lost_sets = {};
  std::vector<std::string> lost_chains = {};
  std::vector<std::string> lost_counters = {};

  std::vector<std::string> new_counters = {};
  std::vector<rules::nft::Set> new_sets = {};
  std::vector<rules::MemberSet> new_member_sets = {};
  std::vector<FilledChain> filled_chains = {};
  std::vector<ChangedRule> changed_rules = {};
  std::vector<rules::nft::Map> new_maps = {};
  std::vector<Elements> elements = {};
};

// Of the fixed parts, and of the plan.
TableChange difference(const FixedPart& before, const FixedPart& wanted, rules::PlanChange plan);

// What the kernel calls the rules of some chains, in their order. A rule that replaces another has its handle
// (net/netfilter/nf_tables_api.c, nf_tables_newrule), so they last until the chain is filled anew.
using RuleHandles = std::map<std::string, std::vector<std::uint64_t>>;

// Reads those that the change needs and that aren't known yet.
Result<void> find_handles(NetlinkSocket& socket, const TableChange& change, RuleHandles& handles);

// Before the change itself: the large hash tables among its new sets are made and filled, while nothing refers to them. In
// transactions of thousands of members, each committed by `send`: as one it takes the kernel longer, and a lease would wait for
// all of it. Of more members where the plan has many rules, since each transaction goes through all chains. take_back() removes
// what a change that failed has left of them.
Result<void> write_ahead(NftBatch& batch, const TableChange& change, std::size_t rules,
                         const Send& send);
void take_back(NftBatch& batch, const TableChange& change, const Send& send);

// All else. `handles` has been through find_handles().
void write(NftBatch& batch, const TableChange& change, const RuleHandles& handles,
           QueueExpression queue);
void write_whole(NftBatch& batch, const FoundTable& found, const WantedTable& wanted,
                 QueueExpression queue);

// Reads back what was written; an error names the first thing that differs.
Result<void> verify(NetlinkSocket& socket, const TableChange& change, QueueExpression queue);
Result<void> verify_whole(NetlinkSocket& socket, const WantedTable& wanted, QueueExpression queue,
                          const Undisturbed& undisturbed);

}  // namespace fwd::kernel
