// check_expects() of rules/expect.h.
#include "rules/expect.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

namespace rules {
namespace {

constexpr std::size_t kMaxCases = 65536;  // interfaces times source ports of one claim

bool in_ranges(std::span<const PortRange> ranges, std::uint16_t port) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const PortRange& range) { return range.contains(port); });
}

// Whether the rule matches the packet on some interface and from some source port.
bool concerns(const Rule& rule, const Expect& expect) {
  const Match& match = rule.match;
  const Packet& packet = expect.packet;
  const auto protocol_fits = [&](const ProtocolMatch& p) {
    return p.number == packet.protocol && (!p.icmp_type || *p.icmp_type == packet.icmp_type) &&
           (!p.icmp_code || *p.icmp_code == packet.icmp_code);
  };
  const bool ports_fit =
      match.destination_ports.empty() ||
      (packet.has_ports && in_ranges(match.destination_ports, packet.destination_port));
  return match.direction == expect.direction && ports_fit && match.source.matches(packet.source) &&
         match.destination.matches(packet.destination) &&
         (match.protocols.empty() ||
          std::any_of(match.protocols.begin(), match.protocols.end(), protocol_fits));
}

// What a claim leaves open and the policy's rules tell apart.
struct Cases {
  std::set<std::string> interfaces;  // an empty name stands for any other
  std::set<std::uint16_t> ports;     // one of each stretch between the rules' limits
};

void add_cases(const Rule& rule, const Expect& expect, Cases& cases) {
  if (!concerns(rule, expect)) return;
  if (!expect.interface && rule.match.interface) cases.interfaces.insert(*rule.match.interface);
  if (!expect.any_source_port) return;
  for (const PortRange& range : rule.match.source_ports) {
    cases.ports.insert(range.first);
    if (range.last < 65535) cases.ports.insert(static_cast<std::uint16_t>(range.last + 1));
  }
}

Cases cases_of(const Policy& policy, const Expect& expect) {
  Cases cases{{expect.interface.value_or("")}, {expect.packet.source_port}};
  for (const Rule& rule : policy.builtin_rules) add_cases(rule, expect, cases);
  for (const Rule& rule : policy.rules) add_cases(rule, expect, cases);
  // Nobody means loopback who names no interface.
  if (!expect.interface && policy.builtins.loopback) cases.interfaces.erase("lo");
  return cases;
}

bool holds(Action expected, Action found) {
  return expected == found || (expected == Action::Allow && found == Action::Limit);
}

class Checker {
 public:
  Checker(const Policy& policy, const RuleSet& rule_set) : policy_(policy), rule_set_(rule_set) {}

  std::optional<Diagnostic> check(const Expect& expect) const;

 private:
  Decision decide(const Expect& expect, const std::string& interface, std::uint16_t port) const;
  std::string reason(const Decision& decision, Direction direction) const;
  Diagnostic error(const Expect& expect, const Decision& decision, std::string message,
                   std::string hint = {}) const;
  Diagnostic is_false(const Expect& expect, const Decision& decision) const;
  Diagnostic depends(const Expect& expect, const Decision& decision, std::string_view on_what,
                     std::string hint) const;

  const Policy& policy_;
  const RuleSet& rule_set_;
};

Decision Checker::decide(const Expect& expect, const std::string& interface,
                         std::uint16_t port) const {
  Packet packet = expect.packet;
  packet.source_port = port;
  return rule_set_.classify(packet, expect.direction, rule_set_.interface_id(interface));
}

std::string Checker::reason(const Decision& decision, Direction direction) const {
  const std::size_t index = decision.index;
  switch (decision.by) {
    case DecidedBy::Builtin:
      return fmt::format("by the built-in rule \"{}\"", policy_.builtin_rules[index].id.view());
    case DecidedBy::Rule:
      return fmt::format("by {}:{}", policy_.file(index), policy_.rules.written(index).line);
    case DecidedBy::Default:
      return fmt::format("by the default for \"{}\"", to_string(direction));
  }
  __builtin_unreachable();
}

Diagnostic Checker::error(const Expect& expect, const Decision& decision, std::string message,
                          std::string hint) const {
  Diagnostic diagnostic{Severity::Error, expect.where, std::move(message), std::move(hint), {}};
  if (decision.by == DecidedBy::Rule) diagnostic.other = {policy_.where(decision.index)};
  return diagnostic;
}

Diagnostic Checker::is_false(const Expect& expect, const Decision& decision) const {
  return error(expect, decision,
               fmt::format("expected {}, but the policy says {}, {}", to_string(expect.action),
                           to_string(decision.action), reason(decision, expect.direction)));
}

Diagnostic Checker::depends(const Expect& expect, const Decision& decision,
                            std::string_view on_what, std::string hint) const {
  return error(expect, decision,
               fmt::format("the answer depends on {}: it can be {}, {}", on_what,
                           to_string(decision.action), reason(decision, expect.direction)),
               std::move(hint));
}

std::optional<Diagnostic> Checker::check(const Expect& expect) const {
  const Cases cases = cases_of(policy_, expect);
  if (cases.interfaces.size() * cases.ports.size() > kMaxCases) {
    return error(expect, {}, "the answer depends on too many interfaces and source ports",
                 "name the interface and the source's port");
  }
  const std::uint16_t port = expect.packet.source_port;
  const Decision usual = decide(expect, expect.interface.value_or(""), port);
  const bool usual_holds = holds(expect.action, usual.action);
  for (const std::string& interface : cases.interfaces) {
    const Decision decision = decide(expect, interface, port);
    if (holds(expect.action, decision.action) != usual_holds) {
      return depends(expect, decision, "the interface", fmt::format("name it: on {}", interface));
    }
    for (const std::uint16_t other : cases.ports) {
      const Decision from_other = decide(expect, interface, other);
      if (holds(expect.action, from_other.action) != usual_holds) {
        return depends(expect, from_other, "the source's port",
                       fmt::format("name it: {} port {}", to_string(expect.packet.source), other));
      }
    }
  }
  if (!usual_holds) return is_false(expect, usual);
  return std::nullopt;
}

}  // namespace

std::vector<Diagnostic> check_expects(const Policy& policy, const std::vector<Expect>& expects,
                                      const RuleSet& rule_set) {
  const Checker checker(policy, rule_set);
  std::vector<Diagnostic> errors;
  for (const Expect& expect : expects) {
    if (errors.size() >= Report::kMost) break;
    if (auto error = checker.check(expect)) errors.push_back(*std::move(error));
  }
  return errors;
}

}  // namespace rules
