// Entry points: Cut, shape_of() and tests_of().
#include "rules/kernel_piece.h"

#include <array>
#include <bit>
#include <utility>

namespace rules {
namespace {

constexpr std::size_t kManyPieces = 64;  // of one rule: then lists become sets

constexpr std::array kProtocolsWithPorts{protocol::kTcp, protocol::kUdp, protocol::kDccp,
                                         protocol::kSctp, protocol::kUdpLite};

using Side = Dimensions::Side;
using ProtocolTest = Dimensions::Protocol;

bool is_icmp(std::uint8_t number) {
  return number == protocol::kIcmp || number == protocol::kIcmpv6;
}

// Types that follow one another are one range.
std::vector<ProtocolTest> protocol_tests(const Match& match) {
  const bool with_ports = !match.source_ports.empty() || !match.destination_ports.empty();
  std::vector<ProtocolTest> tests;
  if (match.protocols.empty()) {
    if (!with_ports) return {{}};
    for (const std::uint8_t number : kProtocolsWithPorts) tests.push_back({number});
    return tests;
  }
  for (const ProtocolMatch& wanted : match.protocols) {
    if (with_ports && !has_ports(wanted.number)) continue;
    if ((wanted.icmp_type || wanted.icmp_code) && !is_icmp(wanted.number)) continue;
    ProtocolTest test{wanted.number, std::nullopt, wanted.icmp_code};
    if (wanted.icmp_type) test.types = IcmpTypes{*wanted.icmp_type, *wanted.icmp_type};
    const bool follows = !tests.empty() && tests.back().number == test.number && test.types &&
                         tests.back().types && !test.code && !tests.back().code &&
                         tests.back().types->last + 1 == test.types->first;
    if (follows) {
      tests.back().types->last = test.types->last;
    } else {
      tests.push_back(test);
    }
  }
  return tests;
}

// The families of a piece: both, where a test needs to know which header it looks at.
std::vector<std::optional<Family>> families_of(const Match& match, const Side& source,
                                               const Side& destination) {
  if (source.family && destination.family && source.family != destination.family) return {};
  const std::optional<Family> family = source.family ? source.family : destination.family;
  if (!family && match.hop_limit) return {Family::V4, Family::V6};
  return {family};
}

void add_port_test(std::vector<nft::Statement>& tests, nft::Field field,
                   const Tested<PortRange>& port) {
  if (!port.set.empty()) tests.push_back(nft::Lookup{field, port.set});
  if (!port.range) return;
  const std::uint32_t first = port.range->first;
  const std::uint32_t last = port.range->last;
  if (first == last) {
    tests.push_back(nft::Compare{field, first});
  } else {
    tests.push_back(nft::Between{field, first, last});
  }
}

void add_address_test(std::vector<nft::Statement>& tests, nft::Field field,
                      const Tested<AddressRange>& address) {
  if (!address.set.empty()) tests.push_back(nft::Lookup{field, address.set});
  if (!address.range) return;
  if (address.range->first == address.range->last) {
    tests.push_back(nft::Compare{field, address.range->first});
  } else {
    tests.push_back(nft::Between{field, address.range->first, address.range->last});
  }
}

void add_icmp_tests(std::vector<nft::Statement>& tests, const Piece& piece) {
  if (piece.icmp_types) {
    const std::uint32_t first = piece.icmp_types->first;
    const std::uint32_t last = piece.icmp_types->last;
    if (first == last) {
      tests.push_back(nft::Compare{nft::Field::IcmpType, first});
    } else {
      tests.push_back(nft::Between{nft::Field::IcmpType, first, last});
    }
  }
  if (piece.icmp_code)
    tests.push_back(nft::Compare{nft::Field::IcmpCode, std::uint32_t{*piece.icmp_code}});
}

// How many leading bits all addresses of the range share.
std::uint8_t common_bits(const Tested<AddressRange>& tested) {
  if (!tested.range) return 0;
  const auto& [first, last] = *tested.range;
  const int high = std::countl_zero(first.high ^ last.high);
  const int low = std::countl_zero(first.low ^ last.low);
  if (first.family == Family::V4) return static_cast<std::uint8_t>(low - 32);
  return static_cast<std::uint8_t>(high < 64 ? high : 64 + low);
}

bool exact(const Tested<PortRange>& port) {
  return port.range && port.range->first == port.range->last;
}

// Whether sharing that many bits says that the address is in the range.
bool decided_by(unsigned bits, const Tested<AddressRange>& tested) {
  return tested.range && prefix_length(*tested.range) == bits;
}

}  // namespace

// How many members of a list are compared one by one, each in a piece of its own: 4 addresses or 8 ports.
Cut::Cut(const Match& match, std::string key, const NamedKinds& named)
    : match_(match), key_(std::move(key)), parts_(dimensions({4, 8}, named)) {
  if (parts_.combinations() > kManyPieces) {
    own_sets_.clear();
    parts_ = dimensions({1, 1}, named);
  }
  for (const Side& source : parts_.sources) {
    for (const Side& destination : parts_.destinations)
      size_ += families_of(match, source, destination).size();
  }
  size_ *= parts_.protocols.size() * parts_.source_ports.size() * parts_.destination_ports.size();
}

Dimensions Cut::dimensions(Limits limits, const NamedKinds& named) {
  return {sides_of(match_.source, ".s", limits.addresses, named),
          sides_of(match_.destination, ".d", limits.addresses, named), protocol_tests(match_),
          ports_of(match_.source_ports, ".sport", limits.ports),
          ports_of(match_.destination_ports, ".dport", limits.ports)};
}

std::vector<Side> Cut::sides_of(const AddressMatch& side, const char* suffix, std::size_t limit,
                                const NamedKinds& named) {
  if (side.any()) return {Side{}};
  std::vector<Side> sides;
  if (!side.name && side.members->ranges().size() <= limit) {
    for (const AddressRange& range : side.members->ranges())
      sides.push_back({range.first.family, {range, {}}});
    return sides;
  }
  const bool own = !side.name;
  const Kinds kinds = own ? kinds_of(*side.members) : named(side);
  for (const MemberKind kind : kMemberKinds) {
    if (!kinds.has(kind)) continue;
    MemberSet set = part_of(own ? "r." + key_ + suffix : *side.name, kind, kinds, side.members);
    sides.push_back({kind.family, {std::nullopt, set.name}});
    if (own) own_sets_.push_back(std::move(set));
  }
  return sides;
}

std::vector<Tested<PortRange>> Cut::ports_of(const ShortList<PortRange>& ports, const char* suffix,
                                             std::size_t limit) {
  if (ports.empty()) return {{}};
  std::vector<Tested<PortRange>> out;
  if (ports.size() <= limit) {
    for (const PortRange& range : ports) out.push_back({range, {}});
    return out;
  }
  std::string name = "r." + key_ + suffix;
  own_sets_.push_back(
      {name, nft::Field::DestinationPort, {}, nullptr, {ports.begin(), ports.end()}});
  return {{std::nullopt, std::move(name)}};
}

// Destination ports change fastest, then source ports, protocols, families, destinations and sources.
Piece Cut::operator[](std::size_t index) const {
  const auto take = [&](std::size_t count) {
    const std::size_t at = index % count;
    index /= count;
    return at;
  };
  const auto& destination_port = parts_.destination_ports[take(parts_.destination_ports.size())];
  const auto& source_port = parts_.source_ports[take(parts_.source_ports.size())];
  const ProtocolTest& wanted = parts_.protocols[take(parts_.protocols.size())];
  for (const Side& source : parts_.sources) {
    for (const Side& destination : parts_.destinations) {
      const auto families = families_of(match_, source, destination);
      if (index >= families.size()) {
        index -= families.size();
        continue;
      }
      return {families[index],  match_.interface, wanted.number,      wanted.types,
              wanted.code,      source.tested,    destination.tested, source_port,
              destination_port, match_.hop_limit};
    }
  }
  return {};  // there is no such piece
}

Shape shape_of(const Piece& piece) {
  return {common_bits(piece.source), common_bits(piece.destination), piece.protocol.has_value(),
          exact(piece.source_port), exact(piece.destination_port)};
}

std::vector<nft::Statement> tests_of(const Piece& piece, Direction direction, const Shape& known) {
  const bool ipv4 = piece.family == Family::V4;
  std::vector<nft::Statement> tests;
  if (piece.protocol && !known.protocol)
    tests.push_back(nft::Compare{nft::Field::TransportProtocol, std::uint32_t{*piece.protocol}});
  add_icmp_tests(tests, piece);
  if (!known.destination_port)
    add_port_test(tests, nft::Field::DestinationPort, piece.destination_port);
  if (!known.source_port) add_port_test(tests, nft::Field::SourcePort, piece.source_port);
  if (!decided_by(known.source, piece.source))
    add_address_test(tests, ipv4 ? nft::Field::Ip4Source : nft::Field::Ip6Source, piece.source);
  if (!decided_by(known.destination, piece.destination)) {
    add_address_test(tests, ipv4 ? nft::Field::Ip4Destination : nft::Field::Ip6Destination,
                     piece.destination);
  }
  if (piece.hop_limit) {
    tests.push_back(nft::Compare{ipv4 ? nft::Field::Ip4Ttl : nft::Field::Ip6HopLimit,
                                 std::uint32_t{*piece.hop_limit}});
  }
  if (piece.interface) {
    const bool in = direction == Direction::In;
    tests.push_back(
        nft::Compare{in ? nft::Field::InputName : nft::Field::OutputName, *piece.interface});
  }
  return tests;
}

}  // namespace rules
