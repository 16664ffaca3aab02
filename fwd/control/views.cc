#include "fwd/control/views.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "rules/printer.h"

namespace fwd::control {
namespace {

std::string_view to_string(rules::Log::Kind log) {
  switch (log) {
    case rules::Log::Default:
      return "default";
    case rules::Log::Always:
      return "always";
    case rules::Log::None:
      return "none";
    case rules::Log::Sample:
      return "sample";
  }
  __builtin_unreachable();
}

std::optional<std::uint64_t> sample_of(const rules::Log& log) {
  if (log.kind() != rules::Log::Sample) return std::nullopt;
  return log.one_in();
}

// `number` is 0 for a built-in one.
ctl::api::Rule view(const rules::Rule& rule, std::size_t number, std::uint64_t packets) {
  std::string canonical = canonical_text(rule);
  return {.number = number,
          .id = rule.id.str(),
          .action = std::string(rules::to_string(rule.action)),
          .direction = std::string(rules::to_string(rule.match.direction)),
          .text = canonical,
          .canonical = std::move(canonical),
          .log = std::string(to_string(rule.log.kind())),
          .comment = rule.comment.value_or(""),
          .file = {},
          .line = 0,
          .packets = packets,
          .builtin = number == 0,
          .sample = sample_of(rule.log)};
}

std::string end_text(const rules::Packet& packet, const rules::Address& address,
                     std::uint16_t port) {
  std::string text = rules::to_string(address);
  if (!packet.has_ports) return text;
  const bool v4 = address.family == rules::Family::V4;
  return fmt::format("{}{}{}:{}", v4 ? "" : "[", text, v4 ? "" : "]", port);
}

ctl::api::Connection view(const kernel::JudgedConnection& connection,
                          const engine::ActivePolicy& denying) {
  const rules::Packet& first = connection.first;
  const rules::Decision decision =
      denying.rules.classify(first, connection.direction, rules::kOtherInterface);
  return {.direction = std::string(rules::to_string(connection.direction)),
          .protocol = rules::protocol_name(first.protocol),
          .source = end_text(first, first.source, first.source_port),
          .destination = end_text(first, first.destination, first.destination_port),
          .rule = decision.by == rules::DecidedBy::Rule
                      ? denying.policy.rules[decision.index].id.str()
                      : "default"};
}

}  // namespace

ctl::api::Diff diff_view(const policy::Difference& difference, const std::string& source,
                         const std::string& destination) {
  ctl::api::Diff diff{.removed = difference.policy.removed,
                      .added = difference.policy.added,
                      .reordered = difference.policy.reordered,
                      .cut = difference.cut.size(),
                      .connections = {},
                      .warnings = difference.warnings,
                      .text_differs = difference.text_differs};
  for (const auto& connection : difference.cut)
    diff.connections.push_back(view(connection, *difference.active));
  std::ranges::stable_partition(diff.connections, [&](const ctl::api::Connection& one) {
    return one.source == source && one.destination == destination;
  });
  if (diff.connections.size() > kMostConnections) diff.connections.resize(kMostConnections);
  return diff;
}

ctl::api::Rule rule_view(const rules::Policy& policy, std::size_t index, std::uint64_t packets) {
  ctl::api::Rule rule = view(policy.rules[index], index + 1, packets);
  rule.text = policy.statement(index);
  rule.file = policy.file(index);
  rule.line = policy.rules.written(index).line;
  return rule;
}

ctl::api::RuleList rule_list_view(const engine::RuleTotals& totals) {
  ctl::api::RuleList list;
  if (totals.policy == nullptr) return list;
  const rules::Policy& policy = totals.policy->policy;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    list.rules.push_back(rule_view(policy, i, totals.rules[i]));
  }
  for (std::size_t i = 0; i < policy.builtin_rules.size(); ++i) {
    list.builtin.push_back(view(policy.builtin_rules[i], 0, totals.builtin[i]));
  }
  list.defaults.in = {std::string(rules::to_string(policy.default_in)), totals.default_in};
  list.defaults.out = {std::string(rules::to_string(policy.default_out)), totals.default_out};
  return list;
}

void add(engine::RuleTotals& totals, const kernel::CopyHits& hits) {
  if (totals.policy == nullptr) return;
  const auto add_to = [&](std::vector<std::uint64_t>& counts, const auto& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto found = hits.rules.find(rules[i].id);
      if (found != hits.rules.end()) counts[i] += found->second;
    }
  };
  add_to(totals.rules, totals.policy->policy.rules);
  add_to(totals.builtin, totals.policy->policy.builtin_rules);
  totals.default_in += hits.default_in;
  totals.default_out += hits.default_out;
}

ctl::api::Set set_view(const rules::NamedSet& set) {
  ctl::api::Set view{
      .name = set.name,
      .kind = set.addresses != nullptr ? ctl::api::SetKind::Addresses : ctl::api::SetKind::Ports,
      .members = {},
      .file = set.where.file,
      .line = set.where.line};
  if (set.addresses != nullptr) {
    for (const rules::AddressRange& range : set.addresses->ranges())
      view.members.push_back(rules::to_string(range));
  } else {
    for (const rules::PortRange& range : set.ports)
      view.members.push_back(rules::ports_text({&range, 1}));
  }
  return view;
}

ctl::api::Sources sources_view(rules::SourceTree tree) {
  return {std::move(tree.main), std::move(tree.includes)};
}

rules::SourceTree source_tree(ctl::api::Sources sources) {
  return {std::move(sources.main), std::move(sources.includes)};
}

}  // namespace fwd::control
