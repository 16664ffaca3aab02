#include "fwd/engine/active_policy.h"

#include <utility>

#include "fwd/engine/sample.h"
#include "fwd/kernel/chains.h"

namespace fwd::engine {
namespace {

bool quiet(const rules::Rule& rule) {
  return rule.log == rules::Log::None || rule.log.kind() == rules::Log::Sample;
}

std::vector<bool> quiet(const std::vector<rules::Rule>& builtins) {
  std::vector<bool> flags;
  flags.reserve(builtins.size());
  for (const rules::Rule& rule : builtins) flags.push_back(quiet(rule));
  return flags;
}

std::vector<bool> quiet(const rules::RuleList& rules) {
  std::vector<bool> flags(rules.size());
  for (std::size_t i = 0; (i = rules.next_that_says_more(i)) < rules.size(); ++i)
    flags[i] = quiet(rules[i]);
  return flags;
}

}  // namespace

ActivePolicy::ActivePolicy(const rules::Policy& policy_in, std::uint64_t version_in,
                           kernel::Generation generation_in, Mode mode_in, std::size_t workers,
                           rules::ServiceMap services_in)
    : ActivePolicy(policy_in, rules::compile(policy_in), version_in, generation_in, mode_in,
                   workers, std::move(services_in)) {}

ActivePolicy::ActivePolicy(rules::Policy policy_in, rules::RuleSet rules_in,
                           std::uint64_t version_in, kernel::Generation generation_in, Mode mode_in,
                           std::size_t workers, rules::ServiceMap services_in)
    : version(version_in),
      generation(generation_in),
      mode(mode_in),
      policy(std::move(policy_in)),
      rules(std::move(rules_in)),
      limit_slots(kernel::limit_slots(policy)),
      silent_builtins(quiet(policy.builtin_rules)),
      quiet_rules(quiet(policy.rules)),
      services(std::move(services_in)) {
  for (std::size_t worker = 0; worker < workers; ++worker) {
    counters.push_back(std::make_unique<RuleCounters>(policy));
  }
}

bool ActivePolicy::recorded(const rules::Decision& decision) const noexcept {
  switch (decision.by) {
    case rules::DecidedBy::Default:
      return true;
    case rules::DecidedBy::Builtin:
      return !silent_builtins[decision.index];
    case rules::DecidedBy::Rule:
      return !quiet_rules[decision.index] ||
             policy.rules[decision.index].log.kind() != rules::Log::None;
  }
  return true;
}

bool ActivePolicy::sampled_out(const rules::Decision& decision,
                               const rules::Packet& first) const noexcept {
  if (decision.by != rules::DecidedBy::Rule || !quiet_rules[decision.index]) return false;
  return !in_sample(first, policy.rules[decision.index].log.one_in(), sample_seed());
}

kernel::LimitSlot ActivePolicy::limit_slot(const rules::Decision& decision) const noexcept {
  const bool limit = decision.by == rules::DecidedBy::Rule && decision.index < limit_slots.size();
  return limit ? limit_slots[decision.index] : kernel::LimitSlot{0};
}

}  // namespace fwd::engine
