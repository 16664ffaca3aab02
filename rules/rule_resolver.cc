#include "rules/rule_resolver.h"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "rules/printer.h"
#include "rules/sha256.h"

namespace rules {
namespace {

std::vector<ProtocolMatch> matches_of(const std::vector<std::uint8_t>& numbers) {
  std::vector<ProtocolMatch> matches;
  for (const std::uint8_t number : numbers) matches.push_back({number, {}, {}});
  return matches;
}

class RuleResolver {
 public:
  RuleResolver(const ast::Rule& syntax, const Names& names) : syntax_(syntax), names_(names) {}

  std::optional<Rule> resolve();

 private:
  bool interface();
  bool addresses();
  bool ports();
  bool protocols();
  bool icmp_type();
  bool protocols_of_ports();
  bool protocols_have_ports();
  bool families();
  bool rate();
  bool log();

  const ast::Rule& syntax_;
  const Names& names_;
  Rule rule_;
  ResolvedPorts from_;
  ResolvedPorts to_;
};

std::optional<Rule> RuleResolver::resolve() {
  rule_.action = syntax_.action;
  rule_.match.direction = syntax_.direction;
  if (syntax_.comment && !syntax_.comment->empty()) rule_.comment = *syntax_.comment;
  const bool good =
      interface() && addresses() && ports() && protocols() && families() && rate() && log();
  if (!good) return std::nullopt;
  std::string canonical = canonical_text(rule_, {from_.text, to_.text});
  rule_.id = sha256_hex(canonical).substr(0, 16);
  if (from_.names_set || to_.names_set) rule_.canonical = std::move(canonical);
  return std::move(rule_);
}

bool RuleResolver::interface() {
  if (!syntax_.interface) return true;
  auto found = find_interface(*syntax_.interface, names_);
  if (!found) return false;
  rule_.match.interface = *std::move(found);
  return true;
}

bool RuleResolver::addresses() {
  const auto side = [&](const ast::Endpoint& endpoint, AddressMatch& match) {
    if (!endpoint.address) return true;
    auto found = find_address(*endpoint.address, names_);
    if (!found) return false;
    match = *std::move(found);
    return true;
  };
  return side(syntax_.from, rule_.match.source) && side(syntax_.to, rule_.match.destination);
}

bool RuleResolver::ports() {
  auto from = find_ports(syntax_.from.ports, names_);
  auto to = find_ports(syntax_.to.ports, names_);
  if (!from || !to) return false;
  rule_.match.source_ports = from->ranges;
  rule_.match.destination_ports = to->ranges;
  from_ = *std::move(from);
  to_ = *std::move(to);
  return true;
}

bool RuleResolver::protocols() {
  if (syntax_.icmp_type) return icmp_type() && protocols_have_ports();
  if (syntax_.protocols.empty()) return protocols_of_ports();
  std::vector<std::uint8_t> numbers;
  for (const ast::Word& word : syntax_.protocols) {
    const auto found = find_protocol(word, names_);
    if (!found) return false;
    numbers.insert(numbers.end(), found->begin(), found->end());
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  rule_.match.protocols = matches_of(numbers);
  return protocols_have_ports();
}

bool RuleResolver::icmp_type() {
  const ast::Word& word = *syntax_.icmp_type;
  if (syntax_.protocols.size() != 1) {
    return names_.report.error(word.where, "a type needs one protocol, icmp or icmpv6",
                               fmt::format("write \"proto icmp type {}\"", word.text));
  }
  const auto type = find_icmp_type(word, syntax_.protocols.front(), names_);
  if (!type) return false;
  std::vector<ProtocolMatch> matches;
  if (type->v4) matches.push_back({protocol::kIcmp, type->v4->type, type->v4->code});
  if (type->v6) matches.push_back({protocol::kIcmpv6, type->v6->type, type->v6->code});
  rule_.match.protocols = matches;
  return true;
}

// A number means TCP and UDP; a service's name means the protocols that it has.
bool RuleResolver::protocols_of_ports() {
  if (syntax_.from.ports.empty() && syntax_.to.ports.empty()) return true;
  const bool both = !syntax_.from.ports.empty() && !syntax_.to.ports.empty();
  const std::vector<std::uint8_t>& numbers =
      syntax_.to.ports.empty() ? from_.protocols : to_.protocols;
  if (numbers.empty() || (both && from_.protocols != to_.protocols)) {
    const ast::Word& word =
        syntax_.to.ports.empty() ? syntax_.from.ports.front() : syntax_.to.ports.front();
    return names_.report.error(word.where, "these ports belong to different protocols",
                               "name the protocol, as in \"proto tcp\" or 80,443/tcp");
  }
  rule_.match.protocols = matches_of(numbers);
  return true;
}

bool RuleResolver::protocols_have_ports() {
  if (syntax_.from.ports.empty() && syntax_.to.ports.empty()) return true;
  for (const ProtocolMatch& match : rule_.match.protocols) {
    if (has_ports(match.number)) continue;
    const ast::Word& word =
        syntax_.to.ports.empty() ? syntax_.from.ports.front() : syntax_.to.ports.front();
    return names_.report.error(word.where,
                               fmt::format("{} has no ports", protocol_name(match.number)),
                               "ports belong to tcp, udp, sctp, dccp and udplite");
  }
  return true;
}

// Something that only packets of certain IP versions have. An empty set has neither, and matches
// nothing: no error.
struct Bound {
  std::string_view word;
  Span where;
  bool v4 = true;
  bool v6 = true;
};

Bound bound_of(const std::optional<ast::Word>& word, const AddressMatch& match) {
  if (!word || match.any() || match.members->empty()) return {};
  return {word->text, word->where, match.members->has(Family::V4), match.members->has(Family::V6)};
}

Bound bound_of(const ast::Rule& syntax, const ShortList<ProtocolMatch>& protocols) {
  if (syntax.protocols.empty()) return {};
  const ast::Word& word = syntax.icmp_type ? *syntax.icmp_type : syntax.protocols.front();
  const auto only = [&](std::uint8_t number) {
    return std::all_of(protocols.begin(), protocols.end(),
                       [&](const ProtocolMatch& match) { return match.number == number; });
  };
  return {word.text, word.where, !only(protocol::kIcmpv6), !only(protocol::kIcmp)};
}

bool RuleResolver::families() {
  const Bound bounds[] = {bound_of(syntax_.from.address, rule_.match.source),
                          bound_of(syntax_.to.address, rule_.match.destination),
                          bound_of(syntax_, rule_.match.protocols)};
  for (const Bound& a : bounds) {
    for (const Bound& b : bounds) {
      if ((a.v4 && b.v4) || (a.v6 && b.v6)) continue;
      return names_.report.error(a.where,
                                 fmt::format("{}, {}: no packet is both", family_text(a.word, a.v4),
                                             family_text(b.word, b.v4)));
    }
  }
  return true;
}

bool RuleResolver::rate() {
  if (syntax_.action == Action::Limit) {
    const auto dccp = [](const ProtocolMatch& match) { return match.number == protocol::kDccp; };
    if (std::ranges::any_of(rule_.match.protocols, dccp)) {
      return names_.report.error(syntax_.protocols.front().where, "dccp can't be limited",
                                 "the kernel can't tell its connections apart: use allow");
    }
    rule_.rate = syntax_.rate ? syntax_.rate->rate : Rate{};
    return true;
  }
  if (!syntax_.rate) return true;
  return names_.report.error(syntax_.rate->where, "only a limit rule has a rate",
                             "limit ... rate 6/30s");
}

bool RuleResolver::log() {
  rule_.log = syntax_.log;
  const bool accepts = syntax_.action == Action::Allow || syntax_.action == Action::Limit;
  if (accepts || rule_.log.kind() != Log::Sample) return true;
  return names_.report.error(
      syntax_.log_where,
      fmt::format("a {} rule's records aren't sampled: each refusal is on record",
                  to_string(syntax_.action)),
      "in a flood they are told together, with their number; write log, or log none");
}

}  // namespace

std::optional<Rule> resolve_rule(const ast::Rule& rule, const Names& names) {
  return RuleResolver(rule, names).resolve();
}

}  // namespace rules
