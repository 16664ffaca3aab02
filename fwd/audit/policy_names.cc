#include "fwd/audit/policy_names.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "fwd/audit/json.h"
#include "rules/sha256.h"

namespace fwd::audit {
namespace {

// Elasticsearch doesn't index longer keywords, and a line stays well below what a log shipper
// takes.
constexpr std::size_t kLongestName = 1024;

void append_member(std::string& out, std::string_view key, std::string_view value) {
  out.append(out.empty() ? "{\"" : ",\"").append(key).append("\":");
  json::append_string(out, json::shortened(value, kLongestName));
}

RuleName make_name(std::string_view id, std::string_view name, std::string_view ruleset,
                   std::uint64_t version) {
  RuleName result;
  json::append_escaped(result.id, id);
  if (name.empty()) {
    result.name.append("rule ").append(result.id);
  } else {
    json::append_escaped(result.name, json::shortened(name, kLongestName));
  }
  result.signature_id = signature_id(id);
  append_member(result.object, "id", id);
  if (!name.empty()) append_member(result.object, "name", name);
  append_member(result.object, "ruleset", ruleset);
  append_member(result.object, "version", std::to_string(version));
  result.object.push_back('}');
  return result;
}

RuleName default_name(rules::Action action, rules::Direction direction, std::uint64_t version) {
  std::string name = "default ";
  name.append(to_string(action)).append(" ").append(to_string(direction));
  return make_name("default", name, "default", version);
}

std::vector<RuleName> builtin_names(const std::vector<rules::Rule>& rules, std::uint64_t version) {
  std::vector<RuleName> names;
  names.reserve(rules.size());
  for (const rules::Rule& rule : rules)
    names.push_back(make_name(rule.id.view(), rule.comment.value_or(""), "builtin", version));
  return names;
}

std::vector<std::string> file_names(const rules::Policy& policy) {
  if (policy.sources == nullptr) return {""};
  std::vector<std::string> names{policy.sources->main.name};
  for (const rules::Source& include : policy.sources->includes) names.push_back(include.name);
  return names;
}

}  // namespace

std::uint32_t signature_id(std::string_view rule_id) {
  constexpr std::uint32_t kFirst = 1U << 30U;
  constexpr std::size_t kDigits = 8;
  std::uint32_t number = 0;
  const std::string hash = rules::sha256_hex(rule_id);
  std::from_chars(hash.data(), hash.data() + kDigits, number, 16);
  return kFirst | number >> 2U;
}

PolicyNames::PolicyNames(const rules::Policy& policy, std::uint64_t version)
    : version_(version),
      defaults_{default_name(policy.default_in, rules::Direction::In, version),
                default_name(policy.default_out, rules::Direction::Out, version)},
      builtins_(builtin_names(policy.builtin_rules, version)),
      files_(file_names(policy)),
      rules_(policy.rules) {}

const RuleName* PolicyNames::find(const rules::Decision& decision,
                                  rules::Direction direction) const {
  switch (decision.by) {
    case rules::DecidedBy::Default:
      return &defaults_[direction == rules::Direction::In ? 0 : 1];
    case rules::DecidedBy::Builtin:
      return decision.index < builtins_.size() ? &builtins_[decision.index] : nullptr;
    case rules::DecidedBy::Rule:
      return rule(decision.index);
  }
  return nullptr;
}

const RuleName* PolicyNames::rule(std::size_t index) const {
  if (index >= rules_.size()) return nullptr;
  if (const auto known = rule_names_.find(index); known != rule_names_.end()) return &known->second;
  const rules::Rule& rule = rules_[index];
  const rules::Written& written = rules_.written(index);
  const std::string ruleset = files_[written.source] + ":" + std::to_string(written.line);
  return &rule_names_
              .emplace(index,
                       make_name(rule.id.view(), rule.comment.value_or(""), ruleset, version_))
              .first->second;
}

void PolicyBook::add(PolicyNames names) {
  const auto same = std::ranges::find(policies_, names.version(), &PolicyNames::version);
  if (same != policies_.end()) {
    *same = std::move(names);
    return;
  }
  policies_.push_back(std::move(names));
  if (policies_.size() <= kMost) return;
  policies_.pop_front();
  if (superseded_ != 0) --superseded_;
}

const PolicyNames* PolicyBook::find(std::uint64_t version) const {
  const auto found =
      std::ranges::find(policies_.rbegin(), policies_.rend(), version, &PolicyNames::version);
  return found == policies_.rend() ? nullptr : &*found;
}

void PolicyBook::forget_superseded() {
  policies_.erase(policies_.begin(), policies_.begin() + static_cast<std::ptrdiff_t>(superseded_));
  superseded_ = policies_.size() > kKept ? policies_.size() - kKept : 0;
}

}  // namespace fwd::audit
