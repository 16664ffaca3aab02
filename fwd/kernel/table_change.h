// What a commit does to the kernel's table, worked out before it is written and kept to verify it: all
// that is found is replaced, or only what differs from what was written last.
#pragma once

#include <string>
#include <vector>

#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_elements.h"
#include "fwd/kernel/nft_reader.h"
#include "rules/nft.h"

namespace fwd::kernel {

// Points into the wanted table, which must outlive it.
struct TableChange {
  struct Elements {
    std::string set;
    std::vector<KernelElement> all;  // afterwards; sorted
    std::vector<KernelElement> lost;
    std::vector<KernelElement> gained;
  };

  const rules::nft::Table* wanted = nullptr;
  bool new_table = false;
  bool whole = false;

  // Taken away first, in this order.
  std::vector<std::string> flushed_chains = {};
  std::vector<std::string> flushed_sets = {};
  std::vector<std::string> lost_sets = {};
  std::vector<std::string> lost_chains = {};
  std::vector<std::string> lost_counters = {};

  std::vector<std::string> new_counters = {};
  std::vector<const rules::nft::Set*> new_sets = {};
  std::vector<const rules::nft::FixedSet*> new_fixed_sets = {};
  std::vector<const rules::nft::Map*> new_maps = {};
  std::vector<const rules::nft::Chain*> new_chains = {};
  std::vector<const rules::nft::Chain*> filled_chains = {};
  std::vector<Elements> elements = {};
};

TableChange replace_all(const FoundTable& found, const rules::nft::Table& wanted);
TableChange difference(const rules::nft::Table& before, const rules::nft::Table& wanted);

void write(NftBatch& batch, const TableChange& change, QueueExpression queue);

// Reads back what was written; an error names the first thing that differs.
Result<void> verify(NetlinkSocket& socket, const TableChange& change, QueueExpression queue);

}  // namespace fwd::kernel
