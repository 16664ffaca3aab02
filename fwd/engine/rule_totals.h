// Hits per rule over commits: a rule keeps its count for as long as its id is in the policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fwd/engine/active_policy.h"

namespace fwd::engine {

struct RuleTotals {
  std::shared_ptr<const ActivePolicy> policy;  // that the numbers are of; null before the first
  std::vector<std::uint64_t> builtin;          // by index into Policy::builtin_rules
  std::vector<std::uint64_t> rules;            // by index into Policy::rules, from the first one
  std::uint64_t default_in = 0;
  std::uint64_t default_out = 0;
};

// Not thread-safe.
class RuleHistory {
 public:
  // From now on `policy` counts; the one before is retired. Workers use it from snapshot `number`
  // on.
  void begin(std::shared_ptr<const ActivePolicy> policy, std::uint64_t number);

  // Lets go of retired policies that no worker uses any more: all use snapshot `oldest_in_use` or a
  // later one.
  void fold(std::uint64_t oldest_in_use);

  // Of the policy's first `most` rules.
  RuleTotals totals(std::size_t most = std::numeric_limits<std::size_t>::max()) const;
  // Of one rule that the policy has, or has had.
  std::uint64_t packets(const rules::Rule& rule) const;

  std::size_t retired() const { return retired_.size(); }

 private:
  using Counts = std::unordered_map<rules::RuleId, std::uint64_t>;
  struct Retired {
    std::shared_ptr<const ActivePolicy> policy;
    std::uint64_t until = 0;  // the first snapshot without it
  };

  static void add(const ActivePolicy& policy, Counts& counts);
  void forget_removed_rules();

  std::shared_ptr<const ActivePolicy> current_;
  std::vector<Retired> retired_;
  Counts folded_;
};

}  // namespace fwd::engine
