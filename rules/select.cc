#include "rules/select.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "rules/builtin.h"
#include "rules/numbers.h"
#include "rules/parser.h"
#include "rules/printer.h"
#include "rules/resolver.h"
#include "rules/rule_parser.h"
#include "rules/text.h"

namespace rules {
namespace {

using Selected = std::expected<std::size_t, Diagnostic>;

constexpr std::size_t kShortestId = 4;
constexpr std::size_t kListed = 5;  // candidates shown when a prefix is ambiguous

bool may_be_id(std::string_view text) {
  return text.size() >= kShortestId &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string name_rule(const Policy& policy, std::size_t index) {
  const Rule& rule = policy.rules[index];
  return fmt::format("{} {} {}", index + 1, rule.id.view(), canonical_text(rule));
}

Selected by_id(const Policy& policy, std::string_view prefix) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    if (policy.rules[i].id.view().starts_with(prefix)) found.push_back(i);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return refuse(fmt::format("no rule has an id that starts with {}", prefix));
  std::string candidates;
  for (std::size_t i = 0; i < std::min(found.size(), kListed); ++i) {
    candidates += (i > 0 ? "; " : "") + name_rule(policy, found[i]);
  }
  if (found.size() > kListed) candidates += "; ...";
  return refuse(fmt::format("{} rules have an id that starts with {}", found.size(), prefix),
                candidates);
}

Selected by_number(const Policy& policy, std::string_view text) {
  const auto number = read_number<std::size_t>(text, policy.rules.size());
  if (number && *number > 0) return *number - 1;
  if (may_be_id(text)) return by_id(policy, text);
  return refuse(fmt::format("there is no rule {}", text),
                policy.rules.empty() ? "the policy has no rules"
                                     : fmt::format("the rules are 1 to {}", policy.rules.size()));
}

Selected by_text(const Policy& policy, std::string_view text, const Services& services) {
  const auto parsed = parse_rule(text);
  if (!parsed) return std::unexpected(parsed.error());
  const auto rule = resolve_rule(parsed->rule, policy, services);
  if (!rule) return std::unexpected(rule.error());
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    if (policy.rules[i].id == rule->id) return i;
  }
  return refuse(fmt::format("no rule says \"{}\"", canonical_text(*rule)));
}

bool is_builtin(std::string_view name) {
  return std::any_of(kBuiltinNames.begin(), kBuiltinNames.end(),
                     [&](const BuiltinName& builtin) { return builtin.name == name; });
}

}  // namespace

std::expected<std::size_t, Diagnostic> select_rule(const Policy& policy, std::string_view selector,
                                                   const Services& services) {
  const std::string_view text = trim(selector);
  if (text.empty()) return refuse("no rule is named", "a number, an id, or the rule itself");
  if (action_by_name(text.substr(0, text.find_first_of(" \t")))) {
    return by_text(policy, text, services);
  }
  if (text.find_first_not_of("0123456789") == std::string_view::npos)
    return by_number(policy, text);
  if (may_be_id(text)) return by_id(policy, text);
  if (is_builtin(text)) {
    return refuse(fmt::format("\"{}\" is a built-in rule", text),
                  fmt::format("\"builtin {} off\" in the policy switches it off", text));
  }
  return refuse(fmt::format("\"{}\" is neither a rule's number nor an id nor a rule", text));
}

}  // namespace rules
