#include "rules/shadow.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rules/classifier/classifier.h"
#include "rules/classifier/corner.h"
#include "rules/printer.h"

namespace rules {
namespace {

constexpr const char* kCovered = "this rule never decides: an earlier one covers it";

bool covers(const AddressMatch& wide, const AddressMatch& narrow) {
  if (wide.any()) return true;
  if (narrow.any()) return false;
  return wide.members == narrow.members || wide.members->contains(*narrow.members);
}

bool covers(const ShortList<PortRange>& wide, const ShortList<PortRange>& narrow) {
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

bool covers(const ShortList<ProtocolMatch>& wide, const ShortList<ProtocolMatch>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&](const ProtocolMatch& n) {
    return std::any_of(wide.begin(), wide.end(),
                       [&](const ProtocolMatch& w) { return covers(w, n); });
  });
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

// Which rules can cover another: those that match its corner.
class CoverSearch {
 public:
  explicit CoverSearch(const RuleList& rules) {
    patterns_.reserve(rules.size());
    for (const Rule& rule : rules) patterns_.push_back({&rule.match, interface_id(rule.match)});
    classifier_ = std::make_unique<classifier::Classifier>(
        patterns_, std::make_shared<classifier::AddressIndexes>(classifier::Lookup::Search));
    version_ = classifier_->publish();
  }

  // In order, from the first.
  std::vector<std::size_t> before(std::size_t rule) const {
    std::vector<std::size_t> found;
    if (!search<classifier::V4>(rule, found)) search<classifier::V6>(rule, found);
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

 private:
  std::optional<InterfaceId> interface_id(const Match& match) {
    if (!match.interface) return std::nullopt;
    const auto next = static_cast<InterfaceId>(interfaces_.size() + 1);
    return interfaces_.try_emplace(*match.interface, next).first->second;
  }

  // Whatever covers the rule matches what it matches in either family: one is enough.
  template <typename F>
  bool search(std::size_t rule, std::vector<std::size_t>& found) const {
    const classifier::Pattern& pattern = patterns_[rule];
    const auto point = classifier::corner<F>(*pattern.match, pattern.interface);
    if (!point) return false;
    const auto bound = classifier_->label(static_cast<classifier::Slot>(rule));
    classifier::for_each_match(
        version_->view<F>(), *point, bound,
        [&](classifier::Label, classifier::Slot slot) { found.push_back(slot); });
    return true;
  }

  std::map<std::string, InterfaceId> interfaces_;
  std::vector<classifier::Pattern> patterns_;
  std::unique_ptr<classifier::Classifier> classifier_;
  std::shared_ptr<const classifier::Version> version_;
};

void report_duplicates(const Policy& policy, Report& report) {
  const RuleList& rules = policy.rules;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto [first, added] = seen.emplace(rules[i].id.view(), i);
    if (added || canonical_text(rules[i]) != canonical_text(rules[first->second])) continue;
    report.error({Severity::Error,
                  policy.where(i),
                  "the same rule stands here twice",
                  "remove one of them",
                  {policy.where(first->second)}});
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

void check_order(const Policy& policy, Report& report, std::size_t max_steps) {
  report_duplicates(policy, report);
  const RuleList& rules = policy.rules;
  CoverSearch search{rules};
  std::size_t steps = 0;
  for (std::size_t later = 0; later < rules.size(); ++later) {
    const std::vector<std::size_t> candidates = search.before(later);
    for (const std::size_t earlier : candidates) {
      steps += cost(rules[earlier].match, rules[later].match);
      const bool same = rules[earlier].id == rules[later].id;
      if (same || !covers(rules[earlier].match, rules[later].match)) continue;
      report.warning(policy.where(later), kCovered, {policy.where(earlier)});
      break;
    }
    if (++steps > max_steps) {
      report.warning(policy.where(later),
                     "rules from here on weren't checked for being covered: too many");
      return;
    }
  }
}

std::vector<Diagnostic> check_new_rule(const Policy& policy, std::size_t index) {
  constexpr std::size_t kAhead = 16;  // rules and their addresses lie anywhere in memory
  const RuleList& rules = policy.rules;
  Report report;
  const auto first_cover = [&](std::size_t rule) {
    std::size_t at = 0;
    while (at < rule && !covers(rules[at].match, rules[rule].match)) ++at;
    return at;
  };
  const auto warn_if_covered_by = [&](std::size_t earlier, std::size_t later) {
    if (earlier == later) return;
    report.warning(policy.where(later), kCovered, {policy.where(earlier)});
  };
  warn_if_covered_by(first_cover(index), index);
  std::size_t looked_at = 0;
  for (std::size_t later = index + 1; later < rules.size(); ++later) {
    if (later + kAhead < rules.size()) {
      __builtin_prefetch(rules.shared(later + kAhead).get());
      __builtin_prefetch(rules[later + kAhead / 2].match.source.members.get());
    }
    if (!covers(rules[index].match, rules[later].match)) continue;
    if (++looked_at > Report::kMost) break;
    if (first_cover(later) == index) warn_if_covered_by(index, later);
  }
  return report.take_warnings();
}

}  // namespace rules
