#include "fwd/policy/build.h"

#include <optional>

#include <fmt/core.h>

#include "fwd/engine/service_slots.h"
#include "rules/expect.h"
#include "rules/labels.h"
#include "rules/parser.h"
#include "rules/resolver.h"
#include "rules/suggest.h"

namespace fwd::policy {
namespace {

// The parser takes so many rules, and the kernel's copy has labels for them.
static_assert(rules::kMaxRules < rules::kMostLabels / 2);

// An edit hasn't been through the parser. A verdict has room for so many slots (fwd/kernel/marks.h).
std::optional<rules::Diagnostic> check_limits(const rules::Policy& policy) {
  if (policy.rules.size() > rules::kMaxRules) {
    return rules::Diagnostic{rules::Severity::Error,
                             policy.where(rules::kMaxRules),
                             fmt::format("a policy has at most {} rules", rules::kMaxRules),
                             {},
                             {}};
  }
  if (policy.rules.limits() <= kernel::kLastLimitSlot) return std::nullopt;
  std::size_t limits = 0;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    if (policy.rules[i].action != rules::Action::Limit || ++limits <= kernel::kLastLimitSlot)
      continue;
    return rules::Diagnostic{
        rules::Severity::Error,
        policy.where(i),
        fmt::format("a policy has at most {} limit rules", kernel::kLastLimitSlot),
        {},
        {}};
  }
  return std::nullopt;
}

rules::RuleSet compile(const engine::ActivePolicy& before, const rules::PolicyEdit& edit) {
  switch (edit.kind) {
    case rules::PolicyEdit::Kind::Added:
      return before.rules.with_rule(edit.policy, edit.index);
    case rules::PolicyEdit::Kind::Removed:
      return before.rules.without_rule(edit.policy, before.policy.rules[edit.index], edit.index);
    case rules::PolicyEdit::Kind::Remarked:
      return before.rules;
    case rules::PolicyEdit::Kind::SetChanged:
      return before.rules.with_others(edit.policy, before.policy.rules, edit.with_set);
  }
  __builtin_unreachable();
}

// What no rule names any more is counted under its name until the policy is read as a whole.
rules::ServiceMap services_after(const engine::ActivePolicy& before, const rules::PolicyEdit& edit,
                                 const rules::Services& services) {
  if (edit.kind != rules::PolicyEdit::Kind::Added) return before.services;
  return rules::add_services(before.services, edit.policy.rules, edit.index, services,
                             engine::kServices);
}

std::expected<Built, Error> check(Built built) {
  auto broken =
      rules::check_expects(built.active->policy, built.outline.expects, built.active->rules);
  if (!broken.empty()) return std::unexpected(to_error(std::move(broken)));
  return built;
}

}  // namespace

std::string message_of(const rules::Diagnostic& diagnostic) {
  const rules::Location& where = diagnostic.where;
  if (where.line == 0) return diagnostic.message;
  return fmt::format("{}:{}: {}", where.file, where.line, diagnostic.message);
}

Error to_error(std::vector<rules::Diagnostic> diagnostics, ctl::api::ErrorCode code) {
  if (diagnostics.empty())
    return {ctl::api::ErrorCode::Internal, "an error without a diagnostic", {}};
  std::string message = message_of(diagnostics.front());
  return {code, std::move(message), std::move(diagnostics)};
}

std::expected<Built, Error> build(rules::SourceTree sources, const rules::Services& services,
                                  const Stamp& stamp) {
  return build(std::make_shared<const rules::SourceTree>(std::move(sources)), services, stamp);
}

std::expected<Built, Error> build(std::shared_ptr<const rules::SourceTree> sources,
                                  const rules::Services& services, const Stamp& stamp) {
  auto document = rules::parse(std::move(sources));
  if (!document) return std::unexpected(to_error(std::move(document.error())));
  auto resolved = rules::resolve(*document, services);
  if (!resolved) return std::unexpected(to_error(std::move(resolved.error())));
  if (auto fault = check_limits(resolved->policy))
    return std::unexpected(to_error({std::move(*fault)}));
  auto service_map = rules::make_service_map(resolved->policy.rules, services, engine::kServices);
  auto active = std::make_shared<const engine::ActivePolicy>(
      std::move(resolved->policy), stamp.version, stamp.generation, stamp.mode, stamp.workers,
      std::move(service_map));
  return check({std::move(active), std::move(resolved->outline), std::move(resolved->warnings)});
}

std::expected<Built, Error> build(const engine::ActivePolicy& before, rules::PolicyEdit edit,
                                  const rules::Services& services, const Stamp& stamp) {
  if (auto fault = check_limits(edit.policy)) return std::unexpected(to_error({std::move(*fault)}));
  rules::RuleSet rules = compile(before, edit);
  auto service_map = services_after(before, edit, services);
  auto active = std::make_shared<const engine::ActivePolicy>(
      std::move(edit.policy), std::move(rules), stamp.version, stamp.generation, stamp.mode,
      stamp.workers, std::move(service_map));
  return check({std::move(active), std::move(edit.outline), {}});
}

Error no_such_set(const rules::Policy& policy, std::string_view name) {
  rules::Nearest nearest(name);
  for (const auto& [known, set] : policy.sets) nearest.consider(known);
  std::string message = fmt::format("there is no set \"{}\"", name);
  if (const auto meant = nearest.found()) message += fmt::format("; did you mean \"{}\"?", *meant);
  return {ctl::api::ErrorCode::NotFound, std::move(message), {}};
}

}  // namespace fwd::policy
