// Changing the policy. Each says in its Change what is wanted, then what has become of it.
#include <fmt/core.h>

#include "ctl/api/codec.h"
#include "ctl/api/status.h"
#include "fwd/control/handlers.h"
#include "fwd/control/views.h"
#include "rules/count.h"
#include "rules/lockout.h"

namespace fwd::control {
namespace {

namespace api = ctl::api;

std::unexpected<api::Error> bad_request(std::string message) {
  return std::unexpected(api::Error{api::ErrorCode::BadRequest, std::move(message), {}});
}

template <typename Body>
std::expected<Body, api::Error> read_body(const Request& request) {
  auto body = api::decode<Body>(request.body);
  if (body) return std::move(*body);
  return bad_request("the request's body: " + body.error());
}

// Of the request's query; empty where it isn't there.
std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

std::string members_text(const policy::SetChange& change) {
  std::string text;
  for (const std::string& member : change.add) text += " +" + member;
  for (const std::string& member : change.remove) text += " -" + member;
  return text.empty() ? text : text.substr(1);
}

api::Rule view(const Context& context, const policy::RuleChange& change) {
  const rules::Policy& policy = change.state->active->policy;
  return rule_view(policy, change.index, context.engine.packets(policy.rules[change.index]));
}

Answer set_enabled(const Context& context, const Request& request, Change& change, bool enabled) {
  change.what = enabled ? "enable the firewall" : "disable the firewall";
  if (auto body = read_body<api::Nothing>(request); !body)
    return std::unexpected(std::move(body.error()));
  const auto changed = context.policy.set_enabled(enabled);
  if (!changed) return std::unexpected(changed.error());
  if (*changed) change.done(enabled ? "enabled the firewall" : "disabled the firewall");
  api::Enabled answer{enabled, !*changed, {}};
  if (enabled) {
    auto lockout = rules::check_lockout(context.policy.state()->active->policy);
    if (lockout) answer.warnings.push_back(*std::move(lockout));
  }
  return api::encode(answer);
}

}  // namespace

Answer add_rule(const Context& context, const Request& request, Change& change) {
  const auto body = read_body<api::AddRule>(request);
  if (!body) return std::unexpected(body.error());
  change.what = fmt::format("add a rule: {}", body->rule);
  const auto added = context.policy.add_rule(body->rule, body->position);
  if (!added) return std::unexpected(added.error());
  const api::Rule rule = view(context, *added);
  if (!added->already || added->updated) {
    change.done(fmt::format("{} rule {}: {}", added->updated ? "updated" : "added", rule.number,
                            rule.canonical));
  }
  return api::encode(
      api::RuleAdded{rule, added->already, added->cut, added->warnings, added->updated});
}

Answer remove_rule(const Context& context, const Request& request, Change& change) {
  const std::string selection = parameter(request, "select");
  if (selection.empty()) return bad_request("which rule? select= is missing");
  change.what = fmt::format("remove the rule {}", selection);
  const auto removed = context.policy.remove_rule(selection);
  if (!removed) return std::unexpected(removed.error());
  const api::Rule rule = view(context, *removed);
  change.done(fmt::format("removed rule {}: {}", rule.number, rule.canonical));
  return api::encode(api::RuleRemoved{rule, removed->cut});
}

Answer change_set(const Context& context, const Request& request, Change& change) {
  auto body = read_body<api::ChangeSet>(request);
  if (!body) return std::unexpected(std::move(body.error()));
  if (body->add.has_value() == body->remove.has_value())
    return bad_request("either \"add\" or \"remove\" is needed");
  const policy::SetChange wanted{body->add.value_or(std::vector<std::string>{}),
                                 body->remove.value_or(std::vector<std::string>{})};
  change.what = fmt::format("change set {}: {}", request.argument, members_text(wanted));
  const auto applied = context.policy.change_set(request.argument, wanted);
  if (!applied) return std::unexpected(applied.error());
  if (!applied->already) {
    change.done(fmt::format("changed set {}: {}", request.argument, members_text(wanted)));
  }
  const rules::NamedSet& set = applied->state->active->policy.sets.at(request.argument);
  const std::size_t entries = set.addresses != nullptr ? set.addresses->size() : set.ports.size();
  return api::encode(api::SetChanged{set.name, entries, applied->already, applied->cut});
}

Answer check_policy(const Context& context, const Request& request) {
  auto body = read_body<api::Sources>(request);
  if (!body) return std::unexpected(std::move(body.error()));
  const auto built = context.policy.check(source_tree(std::move(*body)));
  if (!built) return std::unexpected(built.error());
  const rules::Policy& policy = built->active->policy;
  return api::encode(api::Checked{policy.rules.size(), policy.sets.size(), built->warnings});
}

Answer diff_policy(const Context& context, const Request& request) {
  auto body = read_body<api::Sources>(request);
  if (!body) return std::unexpected(std::move(body.error()));
  const auto difference = context.policy.diff(source_tree(std::move(*body)));
  if (!difference) return std::unexpected(difference.error());
  return api::encode(diff_view(*difference, parameter(request, "from"), parameter(request, "to")));
}

Answer apply_policy(const Context& context, const Request& request, Change& change) {
  auto body = read_body<api::Sources>(request);
  if (!body) return std::unexpected(std::move(body.error()));
  change.what = "apply a policy";
  const auto applied = context.policy.apply(source_tree(std::move(*body)));
  if (!applied) return std::unexpected(applied.error());
  const engine::ActivePolicy& active = *applied->state->active;
  if (!applied->already) {
    change.done(fmt::format("applied a policy: {}, generation {}",
                            rules::count(active.policy.rules.size(), "rule"), active.generation));
  }
  return api::encode(api::Applied{active.generation, active.policy.rules.size(), applied->warnings,
                                  applied->already, applied->cut});
}

Answer enable(const Context& context, const Request& request, Change& change) {
  return set_enabled(context, request, change, true);
}
Answer disable(const Context& context, const Request& request, Change& change) {
  return set_enabled(context, request, change, false);
}

Answer set_mode(const Context& context, const Request& request, Change& change) {
  const auto body = read_body<api::ChangeMode>(request);
  if (!body) return std::unexpected(body.error());
  const auto mode = parse_mode(body->mode);
  if (!mode) return bad_request(R"("mode" must be "enforce" or "observe")");
  change.what = fmt::format("change the mode to {}", body->mode);
  const auto changed = context.policy.set_mode(*mode);
  if (!changed) return std::unexpected(changed.error());
  if (*changed) change.done(fmt::format("changed the mode to {}", body->mode));
  return api::encode(api::ModeChanged{body->mode, !*changed});
}

}  // namespace fwd::control
