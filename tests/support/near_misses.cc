#include "tests/support/near_misses.h"

#include <optional>
#include <utility>

#include "tests/support/random.h"

namespace tests {
namespace {

using rules::Address;
using rules::Family;
using rules::Packet;

constexpr std::uint8_t kProtocols[] = {6, 6, 17, 17, 132, 136, 47, 50, 253};
constexpr const char* kInterfaces[] = {"eth0", "eth1"};

// The neighbour, around the ends of the address space.
Address next_to(const Address& address, bool up) {
  if (address.family == Family::V4)
    return Address::v4(static_cast<std::uint32_t>(up ? address.low + 1 : address.low - 1));
  const std::uint64_t low = up ? address.low + 1 : address.low - 1;
  const bool carry = low == (up ? 0 : ~0ULL);
  return Address::v6(!carry ? address.high : up ? address.high + 1 : address.high - 1, low);
}

void set_protocol(Packet& packet, std::uint8_t number) {
  packet.protocol = number;
  packet.has_ports = rules::has_ports(number);
  packet.has_icmp = number == rules::protocol::kIcmp || number == rules::protocol::kIcmpv6;
}

class NearMisses : private Random {
 public:
  explicit NearMisses(std::uint64_t seed) : Random{seed} {}

  void add(const rules::Match& match, Family family) {
    const auto start = hit(match, family);
    if (!start) return;
    base_ = *start;
    probes_.push_back(base_);
    vary_addresses(match.source, &Packet::source);
    vary_addresses(match.destination, &Packet::destination);
    if (base_.packet.has_ports) {
      vary_ports(match.source_ports, &Packet::source_port);
      vary_ports(match.destination_ports, &Packet::destination_port);
    }
    vary_protocols(match);
    if (match.hop_limit) {
      vary(&Packet::hop_limit, static_cast<std::uint8_t>(*match.hop_limit - 1));
      vary(&Packet::hop_limit, static_cast<std::uint8_t>(*match.hop_limit + 1));
    }
    for (const char* interface : kInterfaces) {
      Probe probe = base_;
      probe.interface = interface;
      probes_.push_back(probe);
    }
  }

  std::vector<Probe> take() { return std::move(probes_); }

 private:
  // Nothing if the match has no address of the family.
  std::optional<Probe> hit(const rules::Match& match, Family family) {
    const auto source = address_in(match.source, family);
    const auto destination = address_in(match.destination, family);
    if (!source || !destination) return std::nullopt;
    Probe probe;
    Packet& packet = probe.packet;
    packet.source = *source;
    packet.destination = *destination;
    rules::ProtocolMatch protocol{pick(kProtocols), {}, {}};
    if (!match.protocols.empty()) protocol = pick(match.protocols);
    set_protocol(packet, protocol.number);
    packet.icmp_type =
        protocol.icmp_type.value_or(packet.protocol == rules::protocol::kIcmp ? 8 : 128);
    packet.icmp_code = protocol.icmp_code.value_or(0);
    packet.source_port = port_in(match.source_ports);
    packet.destination_port = port_in(match.destination_ports);
    packet.hop_limit = match.hop_limit.value_or(64);
    probe.direction = match.direction;
    probe.interface = match.interface.value_or(pick(kInterfaces));
    return probe;
  }

  std::optional<Address> address_in(const rules::AddressMatch& match, Family family) {
    if (match.any()) {
      return family == Family::V4 ? Address::v4(static_cast<std::uint32_t>(bits()))
                                  : Address::v6(bits(), bits());
    }
    std::vector<Address> ends;
    for (const auto& range : match.members->ranges()) {
      if (range.first.family == family) ends.insert(ends.end(), {range.first, range.last});
    }
    if (ends.empty()) return std::nullopt;
    return pick(ends);
  }

  std::uint16_t port_in(const rules::ShortList<rules::PortRange>& ranges) {
    return ranges.empty() ? static_cast<std::uint16_t>(bits()) : pick(ranges).first;
  }

  template <typename Value>
  void vary(Value Packet::*field, const Value& value) {
    Probe probe = base_;
    probe.packet.*field = value;
    probes_.push_back(probe);
  }

  void vary_addresses(const rules::AddressMatch& match, Address Packet::*field) {
    if (match.any()) return;
    for (const auto& range : match.members->ranges()) {
      if (range.first.family != base_.packet.family()) continue;
      for (const Address& edge : edges(range)) vary(field, edge);
    }
  }

  void vary_ports(const rules::ShortList<rules::PortRange>& ranges, std::uint16_t Packet::*field) {
    for (const auto& range : ranges) {
      for (const int port : {range.first - 1, int{range.first}, int{range.last}, range.last + 1})
        vary(field, static_cast<std::uint16_t>(port));
    }
  }

  void vary_protocols(const rules::Match& match) {
    for (const auto& protocol : match.protocols) {
      for (const int number : {protocol.number - 1, int{protocol.number}, protocol.number + 1}) {
        Probe probe = base_;
        set_protocol(probe.packet, static_cast<std::uint8_t>(number));
        probes_.push_back(probe);
      }
      if (protocol.number != base_.packet.protocol || !protocol.icmp_type) continue;
      const std::uint8_t type = *protocol.icmp_type;
      for (const int near : {type - 1, int{type}, type + 1})
        vary(&Packet::icmp_type, static_cast<std::uint8_t>(near));
      vary(&Packet::icmp_code, static_cast<std::uint8_t>(base_.packet.icmp_code + 1));
    }
  }

  std::vector<Probe> probes_;
  Probe base_;
};

}  // namespace

std::vector<Address> edges(const rules::AddressRange& range) {
  return {next_to(range.first, false), range.first, range.last, next_to(range.last, true)};
}

std::vector<Probe> near_misses(const rules::Policy& policy, std::uint64_t seed) {
  NearMisses misses{seed};
  const auto add = [&](const auto& rules) {
    for (const rules::Rule& rule : rules) {
      for (const Family family : {Family::V4, Family::V6}) misses.add(rule.match, family);
    }
  };
  add(policy.builtin_rules);
  add(policy.rules);
  return misses.take();
}

}  // namespace tests
