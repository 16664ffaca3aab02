// What a worker judges by: one commit's rule set with its generation and counters. Shared, and
// immutable but for the counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "fwd/kernel/marks.h"
#include "fwd/mode.h"
#include "rules/policy.h"
#include "rules/rule_set.h"
#include "rules/service_map.h"

namespace fwd::engine {

// Packets by rule, of one worker: written by that worker alone, read by anybody.
class RuleCounters {
 public:
  explicit RuleCounters(const rules::Policy& policy)
      : counts_(policy.builtin_rules.size() + policy.rules.size() + 2),
        builtins_(policy.builtin_rules.size()) {}

  void count(const rules::Decision& decision, rules::Direction direction) noexcept {
    auto& counter = counts_[position(decision, direction)];
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::uint64_t value(const rules::Decision& decision, rules::Direction direction) const noexcept {
    return counts_[position(decision, direction)].load(std::memory_order_relaxed);
  }

 private:
  // The two defaults, then the built-in rules, then the rules.
  std::size_t position(const rules::Decision& decision, rules::Direction direction) const noexcept {
    switch (decision.by) {
      case rules::DecidedBy::Default:
        return direction == rules::Direction::In ? 0 : 1;
      case rules::DecidedBy::Builtin:
        return 2 + decision.index;
      case rules::DecidedBy::Rule:
        return 2 + builtins_ + decision.index;
    }
    __builtin_unreachable();
  }

  std::vector<std::atomic<std::uint64_t>> counts_;  // sized once
  std::size_t builtins_;
};

struct ActivePolicy {
  std::uint64_t version = 0;  // counts commits since the daemon's start
  kernel::Generation generation = 1;
  Mode mode = Mode::Enforce;
  rules::Policy policy;
  rules::RuleSet rules;
  std::vector<kernel::LimitSlot> limit_slots;  // by rule index, to the last limit; else 0
  std::vector<bool> silent_builtins;           // by index: `log none`
  std::vector<bool> quiet_rules;               // likewise, and `log sample N`
  rules::ServiceMap services;                  // by which connections are counted
  mutable std::vector<std::unique_ptr<RuleCounters>> counters;  // by worker

  ActivePolicy(const rules::Policy& policy_in, std::uint64_t version_in,
               kernel::Generation generation_in, Mode mode_in, std::size_t workers,
               rules::ServiceMap services_in = {});
  // `rules_in` is of this policy.
  ActivePolicy(rules::Policy policy_in, rules::RuleSet rules_in, std::uint64_t version_in,
               kernel::Generation generation_in, Mode mode_in, std::size_t workers,
               rules::ServiceMap services_in = {});

  // Whether the policy wants a record of what this decision decides.
  bool recorded(const rules::Decision& decision) const noexcept;
  // Whether that accepted connection, by its first packet, is merely counted: it isn't in its rule's sample.
  bool sampled_out(const rules::Decision& decision, const rules::Packet& first) const noexcept;
  kernel::LimitSlot limit_slot(const rules::Decision& decision) const noexcept;
};

}  // namespace fwd::engine
