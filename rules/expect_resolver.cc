// resolve_expect() of rules/expect.h.
#include <fmt/core.h>

#include "rules/expect.h"

namespace rules {
namespace {

constexpr std::uint16_t kEphemeralPort = 49152;  // the first of IANA's dynamic ports (RFC 6335, 6)
constexpr std::uint8_t kSyn = 0x02;

class ExpectResolver {
 public:
  ExpectResolver(const ast::Expect& syntax, const Names& names) : syntax_(syntax), names_(names) {}

  std::optional<Expect> resolve();

 private:
  bool addresses();
  bool address(const ast::Word& word, Address& address);
  bool protocol();
  bool ports();
  std::optional<std::uint16_t> port(const ast::Word& word);
  bool icmp_type();
  bool interface();

  const ast::Expect& syntax_;
  const Names& names_;
  Expect expect_;
};

std::optional<Expect> ExpectResolver::resolve() {
  expect_.action = syntax_.action;
  expect_.direction = syntax_.direction;
  expect_.where = locate(syntax_.where);
  expect_.packet.hop_limit = 64;
  if (!addresses() || !protocol() || !ports() || !icmp_type() || !interface()) return std::nullopt;
  return std::move(expect_);
}

bool ExpectResolver::address(const ast::Word& word, Address& address) {
  auto found = read_address(word.text);
  if (!found) {
    if (word.text == "any" || word.text.starts_with('@') || read_range(word.text)) {
      found.error().hint = "an expect is about one packet: name one address";
    }
    return report_fault(word, found.error(), names_.report);
  }
  address = *found;
  return true;
}

bool ExpectResolver::addresses() {
  Packet& packet = expect_.packet;
  if (!address(syntax_.source, packet.source)) return false;
  if (!address(syntax_.destination, packet.destination)) return false;
  if (packet.source.family == packet.destination.family) return true;
  const bool v4 = packet.source.family == Family::V4;
  return names_.report.error(
      syntax_.destination.where,
      fmt::format("{}, {}: no packet is both", family_text(syntax_.source.text, v4),
                  family_text(syntax_.destination.text, !v4)));
}

bool ExpectResolver::protocol() {
  const auto numbers = find_protocol(syntax_.protocol, names_);
  if (!numbers) return false;
  const bool v4 = expect_.packet.family() == Family::V4;
  expect_.packet.protocol = v4 ? numbers->front() : numbers->back();
  if (expect_.packet.protocol == protocol::kTcp) expect_.packet.tcp_flags = kSyn;
  const bool wrong = expect_.packet.protocol == (v4 ? protocol::kIcmpv6 : protocol::kIcmp);
  if (!wrong) return true;
  return names_.report.error(
      syntax_.protocol.where,
      fmt::format("{}, {}: no packet is both", family_text(syntax_.protocol.text, !v4),
                  family_text(syntax_.source.text, v4)));
}

std::optional<std::uint16_t> ExpectResolver::port(const ast::Word& word) {
  const auto ports = find_ports({word}, names_);
  if (!ports) return std::nullopt;
  if (ports->ranges.size() != 1 || ports->ranges[0].first != ports->ranges[0].last) {
    names_.report.error(word.where, fmt::format("\"{}\" isn't one port", word.text),
                        "an expect is about one packet: name one port");
    return std::nullopt;
  }
  return ports->ranges[0].first;
}

bool ExpectResolver::ports() {
  Packet& packet = expect_.packet;
  packet.has_ports = has_ports(packet.protocol);
  if (!packet.has_ports) {
    const auto& extra = syntax_.destination_port ? syntax_.destination_port : syntax_.source_port;
    return !extra ||
           names_.report.error(extra->where, fmt::format("{} has no ports", syntax_.protocol.text));
  }
  if (!syntax_.destination_port) {
    return names_.report.error(syntax_.where, "the destination's port is missing",
                               fmt::format("to {} port 80", syntax_.destination.text));
  }
  expect_.any_source_port = !syntax_.source_port;
  const auto source = syntax_.source_port ? port(*syntax_.source_port) : kEphemeralPort;
  const auto destination = port(*syntax_.destination_port);
  if (!source || !destination) return false;
  packet.source_port = *source;
  packet.destination_port = *destination;
  return true;
}

bool ExpectResolver::icmp_type() {
  Packet& packet = expect_.packet;
  packet.has_icmp = packet.protocol == protocol::kIcmp || packet.protocol == protocol::kIcmpv6;
  if (!packet.has_icmp) {
    return !syntax_.icmp_type ||
           names_.report.error(syntax_.icmp_type->where,
                               fmt::format("{} has no types", syntax_.protocol.text));
  }
  if (!syntax_.icmp_type) {
    return names_.report.error(syntax_.where, "the ICMP type is missing", "type echo-request");
  }
  // A number means the type of the protocol that this packet has.
  const bool v6 = packet.protocol == protocol::kIcmpv6;
  const ast::Word exact{v6 ? "icmpv6" : "icmp", syntax_.protocol.where};
  const auto type = find_icmp_type(*syntax_.icmp_type, exact, names_);
  if (!type) return false;
  const std::optional<IcmpType>& found = v6 ? type->v6 : type->v4;
  if (!found) {
    return names_.report.error(
        syntax_.icmp_type->where,
        fmt::format("{}, {}: no packet is both", family_text(syntax_.icmp_type->text, false),
                    family_text(syntax_.source.text, true)));
  }
  packet.icmp_type = found->type;
  packet.icmp_code = found->code.value_or(0);
  return true;
}

bool ExpectResolver::interface() {
  if (!syntax_.interface) return true;
  expect_.interface = find_interface(*syntax_.interface, names_);
  return expect_.interface.has_value();
}

}  // namespace

std::optional<Expect> resolve_expect(const ast::Expect& expect, const Names& names) {
  return ExpectResolver(expect, names).resolve();
}

}  // namespace rules
