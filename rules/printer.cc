#include "rules/printer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <ranges>
#include <utility>

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

// The first words of a list stand behind `before`, the others behind a comma.
class CommaList {
 public:
  CommaList(std::string& out, std::string_view before) : out_(out), before_(before) {}

  std::string& next() { return out_.append(std::exchange(before_, ",")); }

 private:
  std::string& out_;
  std::string_view before_;
};

void append_number(std::string& out, unsigned number) {
  std::array<char, 10> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// " proto icmp type T". A name that means both protocols is written as the name; a number is ICMP's
// or ICMPv6's.
void append_icmp(std::string& out, std::span<const ProtocolMatch> protocols) {
  std::optional<IcmpType> v4;
  std::optional<IcmpType> v6;
  for (const ProtocolMatch& match : protocols) {
    (match.number == protocol::kIcmp ? v4 : v6) = icmp_of(match);
  }
  if (!v4) {
    out.append(" proto icmpv6 type ").append(to_string(*v6));
    return;
  }
  const IcmpName* name = icmp_by_types(v4, v6);
  out.append(" proto icmp type ").append(name ? std::string(name->name) : to_string(*v4));
}

// `icmp` means both ICMP and ICMPv6; ICMP alone is written as its number.
void append_protocols(std::string& out, std::span<const ProtocolMatch> protocols) {
  if (protocols.empty()) return;
  if (protocols.front().icmp_type) return append_icmp(out, protocols);
  const auto has = [&](std::uint8_t number) {
    return std::ranges::find(protocols, number, &ProtocolMatch::number) != protocols.end();
  };
  const bool both = has(protocol::kIcmp) && has(protocol::kIcmpv6);
  CommaList list(out, " proto ");
  for (const ProtocolMatch& match : protocols) {
    if (both && match.number == protocol::kIcmpv6) continue;
    const bool alone = match.number == protocol::kIcmp && !both;
    list.next() += alone ? "1" : protocol_name(match.number);
  }
}

void append_side(std::string& out, std::string_view word, const AddressMatch& match,
                 std::string_view ports) {
  out += word;
  if (match.any()) {
    out += "any";
  } else if (match.name) {
    out.append("@").append(*match.name);
  } else {
    out += to_string(match.members->ranges().front());
  }
  if (!ports.empty()) out.append(" port ").append(ports);
}

void append_rate(std::string& out, const Rate& rate) {
  fmt::format_to(std::back_inserter(out), " rate {}/{}s", rate.count, rate.seconds);
}

void append_canonical(std::string& out, const Rule& rule, const PortTexts& ports) {
  const Match& match = rule.match;
  out.append(to_string(rule.action)).append(" ").append(to_string(match.direction));
  if (match.interface) out.append(" on ").append(*match.interface);
  append_protocols(out, match.protocols);
  append_side(out, " from ", match.source, ports.source);
  append_side(out, " to ", match.destination, ports.destination);
  if (rule.rate) append_rate(out, *rule.rate);
}

void append_canonical(std::string& out, const Rule& rule) {
  if (rule.canonical) {
    out += *rule.canonical;
  } else {
    append_canonical(
        out, rule, {ports_text(rule.match.source_ports), ports_text(rule.match.destination_ports)});
  }
}

std::string port_clause(const std::string& ports) {
  return ports.empty() ? "" : " port " + ports;
}

void append_remarks(std::string& out, Log log, std::string_view comment) {
  if (log != Log::Default) out.append(" ").append(log_clause(log));
  if (!comment.empty()) out.append(" comment ").append(quote(comment));
}

std::string set_members(const NamedSet& set) {
  std::string text;
  const auto add = [&](const std::string& member) {
    text.append(text.empty() ? "{ " : ", ").append(member);
  };
  if (set.addresses) {
    for (const AddressRange& range : set.addresses->ranges()) add(to_string(range));
  }
  for (const PortRange& range : set.ports) add(ports_text({&range, 1}));
  return text.empty() ? "{ }" : text + " }";
}

std::string join_words(const std::vector<ast::Word>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words | std::views::transform(&ast::Word::text), separator));
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
    const std::string members = fmt::format("{}", fmt::join(set.members.texts(), ", "));
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
  std::string text;
  append_canonical(text, rule, ports);
  return text;
}

std::string canonical_text(const Rule& rule) {
  std::string text;
  append_canonical(text, rule);
  return text;
}

std::string ports_text(std::span<const PortRange> ports) {
  std::string text;
  CommaList list(text, "");
  for (const PortRange& range : ports) {
    append_number(list.next(), range.first);
    if (range.first == range.last) continue;
    text += ':';
    append_number(text, range.last);
  }
  return text;
}

std::string log_clause(const Log& log) {
  switch (log.kind()) {
    case Log::Default:
      return {};
    case Log::Always:
      return "log";
    case Log::None:
      return "log none";
    case Log::Sample:
      return fmt::format("log sample {}", log.one_in());
  }
  __builtin_unreachable();
}

void append_remarks(std::string& out, const Rule& rule) {
  append_remarks(out, rule.log, rule.comment ? std::string_view(*rule.comment) : "");
}

std::string print_switches(const Policy& policy) {
  std::string text = fmt::format("default {} in\ndefault {} out\n", to_string(policy.default_in),
                                 to_string(policy.default_out));
  for (const BuiltinName& builtin : kBuiltinNames) {
    if (!(policy.builtins.*builtin.member)) text += fmt::format("builtin {} off\n", builtin.name);
  }
  return text;
}

std::string print(const Policy& policy) {
  std::string text;
  for (const auto& [name, set] : policy.sets) {
    text += fmt::format("set {} = {}\n", name, set_members(set));
  }
  text += print_switches(policy);
  for (const Rule& rule : policy.rules) {
    append_canonical(text, rule);
    append_remarks(text, rule);
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
  if (rule.rate) append_rate(text, rule.rate->rate);
  append_remarks(text, rule.log, rule.comment ? std::string_view(*rule.comment) : "");
  return text;
}

}  // namespace rules
