#include "rules/shadow.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

namespace rules {
namespace {

bool covers(const AddressMatch& wide, const AddressMatch& narrow) {
  if (wide.any()) return true;
  if (narrow.any()) return false;
  return wide.members == narrow.members || wide.members->contains(*narrow.members);
}

bool covers(const std::vector<PortRange>& wide, const std::vector<PortRange>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return false;
  // Both are sorted and merged, so one range of `wide` has to hold each range of `narrow`.
  auto at = wide.begin();
  for (const PortRange& range : narrow) {
    while (at != wide.end() && at->last < range.last) ++at;
    if (at == wide.end() || range.first < at->first) return false;
  }
  return true;
}

bool covers(const ProtocolMatch& wide, const ProtocolMatch& narrow) {
  return wide.number == narrow.number && (!wide.icmp_type || wide.icmp_type == narrow.icmp_type) &&
         (!wide.icmp_code || wide.icmp_code == narrow.icmp_code);
}

bool covers(const std::vector<ProtocolMatch>& wide, const std::vector<ProtocolMatch>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&](const ProtocolMatch& n) {
    return std::any_of(wide.begin(), wide.end(),
                       [&](const ProtocolMatch& w) { return covers(w, n); });
  });
}

bool matches_nothing(const AddressMatch& match) {
  return !match.any() && match.members->empty();
}

struct PortHull {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;

  bool covers(const PortHull& other) const { return first <= other.first && other.last <= last; }
};

PortHull hull(const std::vector<PortRange>& ports) {
  if (ports.empty()) return {};
  return {ports.front().first, ports.back().last};
}

AddressRange hull(const AddressMatch& match) {
  constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
  if (match.any() || match.members->empty()) return {Address::v4(0), Address::v6(kAll, kAll)};
  return {match.members->ranges().front().first, match.members->ranges().back().last};
}

// What a rule spans at most, in one flat record: most pairs are told apart by it.
struct Outline {
  PortHull destination_ports;
  PortHull source_ports;
  std::uint64_t protocols = 0;  // bit (number modulo 64); all for any
  AddressRange source;
  AddressRange destination;
};

Outline outline_of(const Match& match) {
  Outline outline{hull(match.destination_ports), hull(match.source_ports), 0, hull(match.source),
                  hull(match.destination)};
  for (const ProtocolMatch& p : match.protocols) outline.protocols |= 1ULL << (p.number % 64);
  if (match.protocols.empty()) outline.protocols = ~0ULL;
  return outline;
}

bool covers(const AddressRange& wide, const AddressRange& narrow) {
  return wide.first <= narrow.first && narrow.last <= wide.last;
}

bool may_cover(const Outline& wide, const Outline& narrow) {
  return wide.destination_ports.covers(narrow.destination_ports) &&
         wide.source_ports.covers(narrow.source_ports) &&
         (narrow.protocols & ~wide.protocols) == 0 && covers(wide.source, narrow.source) &&
         covers(wide.destination, narrow.destination);
}

// Steps that the exact comparison of two rules may take.
std::size_t cost(const Match& wide, const Match& narrow) {
  const auto members = [](const AddressMatch& match) {
    return match.any() ? 1 : match.members->ranges().size();
  };
  std::size_t steps = wide.destination_ports.size() + narrow.destination_ports.size() +
                      wide.source_ports.size() + narrow.source_ports.size();
  for (const auto side : {&Match::source, &Match::destination}) {
    if ((wide.*side).members != (narrow.*side).members) {
      steps += members(wide.*side) + members(narrow.*side);
    }
  }
  return steps;
}

void report_duplicates(const std::vector<Rule>& rules, Report& report) {
  std::unordered_map<std::string_view, const Rule*> seen;
  for (const Rule& rule : rules) {
    const auto [first, added] = seen.emplace(rule.canonical, &rule);
    if (added) continue;
    report.error({Severity::Error,
                  rule.where,
                  "the same rule stands here twice",
                  "remove one of them",
                  {first->second->where}});
  }
}

}  // namespace

bool covers(const Match& wide, const Match& narrow) {
  return wide.direction == narrow.direction &&
         (!wide.interface || wide.interface == narrow.interface) &&
         (!wide.hop_limit || wide.hop_limit == narrow.hop_limit) &&
         covers(wide.protocols, narrow.protocols) &&
         covers(wide.destination_ports, narrow.destination_ports) &&
         covers(wide.source_ports, narrow.source_ports) && covers(wide.source, narrow.source) &&
         covers(wide.destination, narrow.destination);
}

void check_order(const std::vector<Rule>& rules, Report& report, std::size_t max_steps) {
  report_duplicates(rules, report);
  std::vector<Outline> outlines;
  outlines.reserve(rules.size());
  std::size_t steps = 0;
  for (std::size_t later = 0; later < rules.size(); ++later) {
    const Match& narrow = rules[later].match;
    outlines.push_back(outline_of(narrow));
    if (matches_nothing(narrow.source) || matches_nothing(narrow.destination)) continue;
    for (std::size_t earlier = 0; earlier < later && steps <= max_steps; ++earlier, ++steps) {
      if (!may_cover(outlines[earlier], outlines[later])) continue;
      const Match& wide = rules[earlier].match;
      steps += cost(wide, narrow);
      const bool same = rules[earlier].canonical == rules[later].canonical;
      if (same || !covers(wide, narrow)) continue;
      report.warning(rules[later].where, "this rule never decides: an earlier one covers it",
                     {rules[earlier].where});
      break;
    }
    if (steps > max_steps) {
      report.warning(rules[later].where,
                     "rules from here on weren't checked for being covered: too many");
      return;
    }
  }
}

}  // namespace rules
