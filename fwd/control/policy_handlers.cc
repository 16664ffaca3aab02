// Reading the policy.
#include <fmt/core.h>

#include "ctl/api/codec.h"
#include "fwd/control/handlers.h"
#include "fwd/control/views.h"
#include "fwd/log.h"

namespace fwd::control {

namespace api = ctl::api;

Answer get_rules(const Context& context, const Request&) {
  engine::RuleTotals totals = context.engine.rule_totals();
  if (context.policy.enabled() && totals.policy) {
    const auto hits = context.firewall.copy_hits(totals.policy->policy);
    if (hits) {
      add(totals, *hits);
    } else {
      log::warning("list: {}", hits.error().message());
    }
  }
  return api::encode(rule_list_view(totals));
}

Answer get_policy(const Context& context, const Request&) {
  const policy::State state = context.policy.state();
  return api::encode(api::PolicyText{sources_view(state->sources()), state->active->policy.hash});
}

Answer get_sets(const Context& context, const Request&) {
  const policy::State state = context.policy.state();
  api::SetList list;
  for (const auto& [name, set] : state->active->policy.sets) list.sets.push_back(set_view(set));
  return api::encode(list);
}

Answer get_set(const Context& context, const Request& request) {
  const policy::State state = context.policy.state();
  const auto& sets = state->active->policy.sets;
  const auto found = sets.find(request.argument);
  if (found != sets.end()) return api::encode(set_view(found->second));
  return std::unexpected(policy::no_such_set(state->active->policy, request.argument));
}

}  // namespace fwd::control
