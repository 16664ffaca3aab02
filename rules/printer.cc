#include "rules/printer.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/builtin.h"
#include "rules/icmp.h"
#include "rules/lexer.h"

namespace rules {
namespace {

std::optional<IcmpType> icmp_of(const ProtocolMatch& match) {
  if (!match.icmp_type) return std::nullopt;
  return IcmpType{*match.icmp_type, match.icmp_code};
}

// " proto icmp type T". A name that means both protocols is written as the name; a number is ICMP's
// or ICMPv6's.
std::string icmp_text(const std::vector<ProtocolMatch>& protocols) {
  std::optional<IcmpType> v4;
  std::optional<IcmpType> v6;
  for (const ProtocolMatch& match : protocols) {
    (match.number == protocol::kIcmp ? v4 : v6) = icmp_of(match);
  }
  if (!v4) return fmt::format(" proto icmpv6 type {}", to_string(*v6));
  const IcmpName* name = icmp_by_types(v4, v6);
  return fmt::format(" proto icmp type {}", name ? std::string(name->name) : to_string(*v4));
}

// `icmp` means both ICMP and ICMPv6; ICMP alone is written as its number.
std::string protocols_text(const std::vector<ProtocolMatch>& protocols) {
  if (protocols.empty()) return "";
  if (protocols.front().icmp_type) return icmp_text(protocols);
  const auto has = [&](std::uint8_t number) {
    return std::any_of(protocols.begin(), protocols.end(),
                       [&](const ProtocolMatch& match) { return match.number == number; });
  };
  const bool both = has(protocol::kIcmp) && has(protocol::kIcmpv6);
  std::vector<std::string> names;
  for (const ProtocolMatch& match : protocols) {
    if (both && match.number == protocol::kIcmpv6) continue;
    const bool alone = match.number == protocol::kIcmp && !both;
    names.push_back(alone ? "1" : protocol_name(match.number));
  }
  return fmt::format(" proto {}", fmt::join(names, ","));
}

std::string address_text(const AddressMatch& match) {
  if (match.any()) return "any";
  if (!match.name.empty()) return "@" + match.name;
  return to_string(match.members->ranges().front());
}

std::string port_clause(const std::string& ports) {
  return ports.empty() ? "" : " port " + ports;
}

std::string rate_clause(const Rate& rate) {
  return fmt::format(" rate {}/{}s", rate.count, rate.seconds);
}

std::string log_and_comment(Log log, const std::string& comment) {
  std::string text = log == Log::Default ? "" : log == Log::Always ? " log" : " log none";
  if (!comment.empty()) text += " comment " + quote(comment);
  return text;
}

std::string set_members(const NamedSet& set) {
  std::string text;
  const auto add = [&](const std::string& member) {
    text.append(text.empty() ? "{ " : ", ").append(member);
  };
  if (set.addresses) {
    for (const AddressRange& range : set.addresses->ranges()) add(to_string(range));
  }
  for (const PortRange& range : set.ports) add(ports_text({range}));
  return text.empty() ? "{ }" : text + " }";
}

std::string join_words(const std::vector<ast::Word>& words, std::string_view separator) {
  std::vector<std::string_view> texts;
  texts.reserve(words.size());
  for (const ast::Word& word : words) texts.push_back(word.text);
  return fmt::format("{}", fmt::join(texts, separator));
}

std::string endpoint_text(const ast::Endpoint& endpoint) {
  std::string text(endpoint.address ? endpoint.address->text : "any");
  return text + port_clause(join_words(endpoint.ports, ","));
}

std::string clause(std::string_view keyword, const std::optional<ast::Word>& word) {
  return word ? fmt::format(" {} {}", keyword, word->text) : "";
}

struct StatementPrinter {
  std::string operator()(const ast::Set& set) const {
    const std::string members = join_words(set.members, ", ");
    return fmt::format("set {} = {}", set.name.text,
                       members.empty() ? "{ }" : fmt::format("{{ {} }}", members));
  }
  std::string operator()(const ast::Default& statement) const {
    return fmt::format("default {} {}", to_string(statement.action),
                       to_string(statement.direction));
  }
  std::string operator()(const ast::Builtin& statement) const {
    return fmt::format("builtin {} {}", statement.name.text, statement.on ? "on" : "off");
  }
  std::string operator()(const ast::Include& include) const {
    return fmt::format("# include {}", quote(include.pattern));
  }
  std::string operator()(const ast::Rule& rule) const { return print(rule); }
  std::string operator()(const ast::Expect& expect) const {
    return fmt::format("expect {} {} {} {}{} to {}{}{}{}", to_string(expect.action),
                       to_string(expect.direction), expect.protocol.text, expect.source.text,
                       clause("port", expect.source_port), expect.destination.text,
                       clause("port", expect.destination_port), clause("type", expect.icmp_type),
                       clause("on", expect.interface));
  }
};

}  // namespace

std::string canonical_text(const Rule& rule, const PortTexts& ports) {
  const Match& match = rule.match;
  return fmt::format("{} {}{}{} from {}{} to {}{}{}", to_string(rule.action),
                     to_string(match.direction), match.interface ? " on " + *match.interface : "",
                     protocols_text(match.protocols), address_text(match.source),
                     port_clause(ports.source), address_text(match.destination),
                     port_clause(ports.destination), rule.rate ? rate_clause(*rule.rate) : "");
}

std::string ports_text(const std::vector<PortRange>& ports) {
  std::vector<std::string> texts;
  texts.reserve(ports.size());
  for (const PortRange& range : ports) {
    texts.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                              : fmt::format("{}:{}", range.first, range.last));
  }
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string print(const Policy& policy) {
  std::string text;
  for (const auto& [name, set] : policy.sets) {
    text += fmt::format("set {} = {}\n", name, set_members(set));
  }
  text += fmt::format("default {} in\ndefault {} out\n", to_string(policy.default_in),
                      to_string(policy.default_out));
  for (const BuiltinName& builtin : kBuiltinNames) {
    if (!(policy.builtins.*builtin.member)) text += fmt::format("builtin {} off\n", builtin.name);
  }
  for (const Rule& rule : policy.rules) {
    text += rule.canonical;
    if (rule.log != Log::Default || !rule.comment.empty())
      text += log_and_comment(rule.log, rule.comment);
    text += '\n';
  }
  return text;
}

std::string print(const ast::Document& document) {
  std::string text;
  for (const ast::Statement& statement : document.statements) {
    text += std::visit(StatementPrinter{}, statement) + '\n';
  }
  return text;
}

std::string print(const ast::Rule& rule) {
  std::string text = fmt::format("{} {}{}", to_string(rule.action), to_string(rule.direction),
                                 clause("on", rule.interface));
  if (!rule.protocols.empty()) text += " proto " + join_words(rule.protocols, ",");
  text += clause("type", rule.icmp_type);
  text += fmt::format(" from {} to {}", endpoint_text(rule.from), endpoint_text(rule.to));
  if (rule.rate) text += rate_clause(rule.rate->rate);
  return text + log_and_comment(rule.log, rule.comment.value_or(""));
}

}  // namespace rules
