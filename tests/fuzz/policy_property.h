// What must hold for any policy text at all. Used by the fuzzer and by the test that replays its
// corpus.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/parser.h"
#include "rules/printer.h"
#include "rules/resolver.h"
#include "rules/rule_set.h"

namespace tests {

inline const rules::Services& few_services() {
  static const auto services = rules::parse_services(
      "ssh 22/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp www\nhttps 443/tcp\nmysql 3306/tcp\n");
  return services;
}

// Nothing where the text has errors. Those are rendered, as a person would see them.
inline std::optional<rules::Policy> policy_from(std::string_view text) {
  const auto show = [](const std::vector<rules::Diagnostic>& diagnostics) {
    for (const auto& diagnostic : diagnostics) rules::render(diagnostic);
  };
  const rules::SourceTree tree{{"policy.fw", std::string{text}}, {}};
  const auto document = rules::parse(tree);
  if (!document) {
    show(document.error());
    return std::nullopt;
  }
  auto resolved = rules::resolve(*document, few_services());
  if (!resolved) {
    show(resolved.error());
    return std::nullopt;
  }
  show(resolved->warnings);
  return std::move(resolved->policy);
}

// The property that is broken; empty if all hold.
inline std::string_view broken_policy_property(std::string_view text) {
  const auto policy = policy_from(text);
  if (!policy) return "";
  const std::string printed = rules::print(*policy);
  const auto again = policy_from(printed);
  if (!again) return "what is printed parses";
  if (rules::print(*again) != printed) return "what is printed prints the same again";
  if (again->hash != policy->hash) return "what is printed is the same policy";
  const auto rule_set = rules::compile(*policy);
  rules::Packet packet;
  packet.source = packet.destination = rules::Address::v6(0, 1);
  const auto decision = rule_set.classify(packet, rules::Direction::In, rules::kOtherInterface);
  const bool by_rule = decision.by == rules::DecidedBy::Rule;
  if (by_rule && decision.index >= policy->rules.size())
    return "a decision names a rule that is there";
  return "";
}

}  // namespace tests
