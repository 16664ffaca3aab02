#include "rules/names.h"

#include <algorithm>

#include <fmt/core.h>

#include "rules/numbers.h"
#include "rules/printer.h"
#include "rules/protocols.h"
#include "rules/suggest.h"

namespace rules {
namespace {

const std::vector<std::uint8_t> kPortDefault{protocol::kTcp, protocol::kUdp};

bool has_upper_case(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

const NamedSet* find_set(const ast::Word& word, const Names& names) {
  const std::string name(word.text.substr(1));
  const auto found = names.sets.find(name);
  if (found != names.sets.end()) return &found->second;
  Nearest nearest(name);
  for (const auto& [known, set] : names.sets) nearest.consider(known);
  names.report.error(word.where, fmt::format("unknown set \"{}\"", name), nearest.hint("@"));
  return nullptr;
}

bool unknown_port(const ast::Word& word, const Names& names) {
  if (parse_range(word.text)) {
    return names.report.error(word.where,
                              fmt::format("\"{}\" is an address, not a port", word.text),
                              fmt::format("write \"from {}\" or \"to {}\"", word.text, word.text));
  }
  if (const std::size_t slash = word.text.find('/'); slash != std::string_view::npos) {
    return names.report.error(
        word.where, fmt::format("\"{}\" isn't a port", word.text),
        fmt::format("write the protocol by itself: \"proto {}\"", word.text.substr(slash + 1)));
  }
  std::string hint = names.services.hint(word.text);
  if (hint.empty() && names.sets.contains(std::string(word.text))) {
    hint = fmt::format("did you mean \"@{}\"?", word.text);
  }
  if (hint.empty() && has_upper_case(word.text)) {
    hint = "fwd has no application profiles: name the ports, as in \"allow 80,443/tcp\"";
  }
  return names.report.error(word.where, fmt::format("unknown service \"{}\"", word.text), hint);
}

// Adds what one word of a list says.
class PortList {
 public:
  explicit PortList(const Names& names) : names_(names) {}

  bool add(const ast::Word& word) {
    if (word.text.starts_with('@')) return add_set(word);
    if (looks_like_port(word.text)) return add_range(word);
    const Service* service = names_.services.find(word.text);
    if (service == nullptr) return unknown_port(word, names_);
    numbers_.push_back({service->port, service->port});
    return ask_for(service->protocols);
  }

  ResolvedPorts result() && {
    ResolvedPorts ports{merge(numbers_), {}, !sets_.empty(), std::move(protocols_)};
    ports.text = ports_text(ports.ranges);
    std::sort(sets_.begin(), sets_.end());
    sets_.erase(std::unique(sets_.begin(), sets_.end()), sets_.end());
    for (const std::string& set : sets_) ports.text += (ports.text.empty() ? "" : ",") + set;
    ports.ranges.insert(ports.ranges.end(), members_.begin(), members_.end());
    ports.ranges = merge(std::move(ports.ranges));
    return ports;
  }

 private:
  // An empty list of ports would mean any port, so an empty set can't be used here.
  bool add_set(const ast::Word& word) {
    const NamedSet* set = find_set(word, names_);
    if (set == nullptr) return false;
    if (set->addresses) {
      return names_.report.error(
          word.where,
          fmt::format("the set \"{}\" {}", set->name,
                      set->addresses->empty() ? "has no ports" : "holds addresses, not ports"),
          {}, {set->where});
    }
    members_.insert(members_.end(), set->ports.begin(), set->ports.end());
    sets_.push_back("@" + set->name);
    return ask_for(kPortDefault);
  }

  bool add_range(const ast::Word& word) {
    const auto range = read_port_range(word.text);
    if (!range) return report_fault(word, range.error(), names_.report);
    numbers_.push_back(*range);
    return ask_for(kPortDefault);
  }

  // Words that ask for different protocols leave none to go by: the rule has to name one.
  bool ask_for(const std::vector<std::uint8_t>& protocols) {
    if (first_) {
      protocols_ = protocols;
    } else if (protocols_ != protocols) {
      protocols_.clear();
    }
    first_ = false;
    return true;
  }

  const Names& names_;
  std::vector<PortRange> numbers_;
  std::vector<PortRange> members_;
  std::vector<std::string> sets_;
  std::vector<std::uint8_t> protocols_;
  bool first_ = true;
};

}  // namespace

bool report_fault(const ast::Word& word, const Fault& fault, Report& report) {
  return report.error(word.where, fault.message, fault.hint);
}

std::optional<AddressMatch> find_address(const ast::Word& word, const Names& names) {
  if (word.text.starts_with('@')) {
    const NamedSet* set = find_set(word, names);
    if (set == nullptr) return std::nullopt;
    if (!set->addresses) {
      names.report.error(word.where,
                         fmt::format("the set \"{}\" holds ports, not addresses", set->name), {},
                         {set->where});
      return std::nullopt;
    }
    return AddressMatch{set->addresses, set->name};
  }
  if (auto known = names.literals.find(word.text)) return AddressMatch{std::move(known), {}};
  auto range = read_range(word.text);
  if (!range) {
    Fault& fault = range.error();
    if (names.sets.contains(std::string(word.text))) {
      fault.hint = fmt::format("did you mean \"@{}\"?", word.text);
    }
    report_fault(word, fault, names.report);
    return std::nullopt;
  }
  auto members = std::make_shared<const AddressSet>(std::vector<AddressRange>{*range});
  names.literals.add(word.text, members);
  return AddressMatch{std::move(members), {}};
}

std::optional<ResolvedPorts> find_ports(const std::vector<ast::Word>& words, const Names& names) {
  PortList list(names);
  for (const ast::Word& word : words) {
    if (!list.add(word)) return std::nullopt;
  }
  return std::move(list).result();
}

std::optional<std::string> find_interface(const ast::Word& word, const Names& names) {
  if (const auto fault = check_interface(word.text)) {
    report_fault(word, *fault, names.report);
    return std::nullopt;
  }
  return std::string(word.text);
}

std::optional<std::vector<std::uint8_t>> find_protocol(const ast::Word& word, const Names& names) {
  if (word.text == "icmp") return std::vector{protocol::kIcmp, protocol::kIcmpv6};
  if (const auto number = protocol_by_name(word.text)) return std::vector{*number};
  if (const auto number = read_number<std::uint8_t>(word.text, 255)) return std::vector{*number};
  names.report.error(word.where, fmt::format("unknown protocol \"{}\"", word.text),
                     did_you_mean(word.text, protocol_names()));
  return std::nullopt;
}

std::optional<IcmpName> find_icmp_type(const ast::Word& word, const ast::Word& statement_protocol,
                                       const Names& names) {
  const auto protocols = find_protocol(statement_protocol, names);
  if (!protocols) return std::nullopt;
  const bool v4 = protocols->front() == protocol::kIcmp;
  const bool v6 = protocols->back() == protocol::kIcmpv6;
  if (!v4 && !v6) {
    names.report.error(word.where, fmt::format("{} has no types", statement_protocol.text),
                       "types belong to \"proto icmp\" and \"proto icmpv6\"");
    return std::nullopt;
  }
  if (const auto number = read_icmp_number(word.text)) {
    return v4 ? IcmpName{{}, number, {}} : IcmpName{{}, {}, number};
  }
  const IcmpName* known = icmp_by_name(word.text);
  if (known == nullptr) {
    names.report.error(word.where, fmt::format("unknown ICMP type \"{}\"", word.text),
                       icmp_hint(word.text));
    return std::nullopt;
  }
  IcmpName type = *known;
  if (!v4) type.v4.reset();
  if (!v6) type.v6.reset();
  if (!type.v4 && !type.v6) {
    names.report.error(word.where,
                       fmt::format("{} has no type \"{}\"", statement_protocol.text, word.text));
    return std::nullopt;
  }
  return type;
}

std::string family_text(std::string_view word, bool v4) {
  return fmt::format("{} is {}", word, v4 ? "IPv4" : "IPv6");
}

}  // namespace rules
