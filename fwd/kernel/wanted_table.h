// All that the kernel's table is to have: a fixed part, as values, and what the plan of the policy emits piece by
// piece, because with many rules that is a lot.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "rules/kernel_plan.h"
#include "rules/nft.h"

namespace fwd::kernel {

struct WantedTable {
  const rules::nft::Table& fixed;
  const rules::KernelPlan& plan;

  std::unordered_set<std::string> counters() const;
  void for_each_chain(const std::function<void(const rules::nft::Chain&)>& visit) const;
  // With a chain that has its name, and its hook if it has one, but no rules.
  void for_each_empty_chain(const std::function<void(const rules::nft::Chain&)>& visit) const;
  // Those of one map follow one another in for_each_element().
  void for_each_map(const std::function<void(const rules::nft::Map&)>& visit) const;
  void for_each_element(
      const std::function<void(const rules::nft::Map&, const rules::nft::Element&)>& visit) const;
  void for_each_set(const std::function<void(const rules::MemberSet&)>& visit) const;
};

}  // namespace fwd::kernel
