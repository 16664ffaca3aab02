#include "rules/resolver.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "rules/builtin.h"
#include "rules/lockout.h"
#include "rules/policy_hash.h"
#include "rules/rule_resolver.h"
#include "rules/set_resolver.h"
#include "rules/sha256.h"
#include "rules/shadow.h"
#include "rules/suggest.h"

namespace rules {
namespace {

// Of a span in one of the sources.
Written written(const Span& where, const SourceTree& sources) {
  const bool main = where.source == &sources.main;
  const auto include = main ? 0 : where.source - sources.includes.data() + 1;
  return {where.line, where.offset, where.length, static_cast<std::uint32_t>(include)};
}

class Resolver {
 public:
  explicit Resolver(const Services& services) : services_(services) {}

  std::expected<Resolved, std::vector<Diagnostic>> resolve(const ast::Document& document);

 private:
  Names names() { return {resolved_.policy.sets, services_, report_, literals_}; }

  void statement(const ast::Set&) {}  // looked at before all rules
  void statement(const ast::Include& statement);
  void statement(const ast::Default& statement);
  void statement(const ast::Builtin& statement);
  void statement(const ast::Rule& rule);
  void statement(const ast::Expect& expect);
  bool first_time(const std::string& what, const Span& where);

  const Services& services_;
  Report report_;
  Literals literals_;
  Resolved resolved_;
  std::map<std::string, Span> said_;  // defaults and built-in rules
};

std::expected<Resolved, std::vector<Diagnostic>> Resolver::resolve(const ast::Document& document) {
  Policy& policy = resolved_.policy;
  policy.sources = document.sources;
  policy.sets = resolve_sets(document, services_, report_);
  for (const ast::Statement& any : document.statements) {
    if (report_.full()) break;
    std::visit([this](const auto& one) { statement(one); }, any);
  }
  if (!report_.failed()) check_order(policy, report_);
  if (report_.failed()) return std::unexpected(report_.take_errors());
  policy.builtin_rules = builtin_rules(policy.builtins);
  policy.hash = hash_of(policy);
  resolved_.warnings = report_.take_warnings();
  if (auto lockout = check_lockout(policy)) resolved_.warnings.push_back(*std::move(lockout));
  return std::move(resolved_);
}

bool Resolver::first_time(const std::string& what, const Span& where) {
  const auto [before, first] = said_.emplace(what, where);
  return first ||
         report_.error(where, fmt::format("{} is said twice", what), {}, {locate(before->second)});
}

void Resolver::statement(const ast::Default& statement) {
  if (!first_time(fmt::format("the default for \"{}\"", to_string(statement.direction)),
                  statement.where)) {
    return;
  }
  const bool in = statement.direction == Direction::In;
  (in ? resolved_.policy.default_in : resolved_.policy.default_out) = statement.action;
}

void Resolver::statement(const ast::Builtin& statement) {
  const ast::Word& name = statement.name;
  const auto known =
      std::find_if(kBuiltinNames.begin(), kBuiltinNames.end(),
                   [&](const BuiltinName& builtin) { return builtin.name == name.text; });
  if (known == kBuiltinNames.end()) {
    Nearest nearest(name.text);
    for (const BuiltinName& builtin : kBuiltinNames) nearest.consider(builtin.name);
    report_.error(name.where, fmt::format("unknown built-in rule \"{}\"", name.text),
                  nearest.hint());
    return;
  }
  if (first_time(fmt::format("the built-in rule \"{}\"", name.text), name.where)) {
    resolved_.policy.builtins.*known->member = statement.on;
  }
}

// What it brings follows by itself.
void Resolver::statement(const ast::Include& statement) {
  resolved_.outline.includes.push_back({statement.where.line, resolved_.policy.rules.size()});
}

void Resolver::statement(const ast::Rule& rule) {
  if (auto resolved = resolve_rule(rule, names())) {
    Policy& policy = resolved_.policy;
    policy.rules.push_back(*std::move(resolved), written(rule.where, *policy.sources));
  }
}

void Resolver::statement(const ast::Expect& expect) {
  if (auto resolved = resolve_expect(expect, names())) {
    resolved_.outline.expects.push_back(*std::move(resolved));
  }
}

}  // namespace

std::expected<Resolved, std::vector<Diagnostic>> resolve(const ast::Document& document,
                                                         const Services& services) {
  return Resolver(services).resolve(document);
}

std::expected<Rule, Diagnostic> resolve_rule(const ast::Rule& rule, const Policy& policy,
                                             const Services& services) {
  Report report;
  Literals literals;
  auto resolved = resolve_rule(rule, Names{policy.sets, services, report, literals});
  if (!resolved) return std::unexpected(std::move(report.take_errors().front()));
  return *std::move(resolved);
}

}  // namespace rules
