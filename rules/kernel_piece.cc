// Entry points: cut(), shape_of() and tests_of().
#include "rules/kernel_piece.h"

#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

namespace rules {
namespace {

// How many members of a list are compared one by one, each in a piece of its own.
struct Limits {
  std::size_t addresses = 4;
  std::size_t ports = 8;
};
constexpr std::size_t kManyPieces = 64;  // of one rule: then lists become sets

constexpr std::array kProtocolsWithPorts{protocol::kTcp, protocol::kUdp, protocol::kDccp,
                                         protocol::kSctp, protocol::kUdpLite};

struct Side {
  std::optional<Family> family;
  Tested<AddressRange> tested;
};

nft::Interval interval(const AddressRange& range) {
  return {range.first, range.last};
}

// Exact addresses and ranges in a set each, by family; those that have members.
const std::vector<KernelSets::Part>& sets_of(const AddressSet& members, const std::string& name,
                                             KernelSets& sets) {
  const auto [entry, added] = sets.of_lists.try_emplace(name);
  if (!added) return entry->second;
  for (const AddressRange& range : members.ranges()) {
    const Family family = range.first.family;
    const bool ipv4 = family == Family::V4;
    const bool ranges = range.first != range.last;
    const std::string set = fmt::format("{}_{}{}", name, ipv4 ? "4" : "6", ranges ? "r" : "");
    const auto [fixed, first] = sets.fixed.try_emplace(set);
    if (first) {
      const nft::Field key = ipv4 ? nft::Field::Ip4Source : nft::Field::Ip6Source;
      fixed->second = {set, key, ranges};
      entry->second.push_back({family, set});
    }
    fixed->second.members.push_back(interval(range));
  }
  return entry->second;
}

std::vector<Side> sides_of(const AddressMatch& match, const std::string& own_name,
                           std::size_t limit, KernelSets& sets) {
  if (match.any()) return {Side{}};
  std::vector<Side> sides;
  if (match.name.empty() && match.members->ranges().size() <= limit) {
    for (const AddressRange& range : match.members->ranges())
      sides.push_back({range.first.family, {range, {}}});
    return sides;
  }
  const std::string& name = match.name.empty() ? own_name : match.name;
  for (const KernelSets::Part& part : sets_of(*match.members, name, sets))
    sides.push_back({part.family, {std::nullopt, part.set}});
  return sides;
}

std::vector<Tested<PortRange>> ports_of(const std::vector<PortRange>& ports,
                                        const std::string& own_name, std::size_t limit,
                                        KernelSets& sets) {
  if (ports.empty()) return {{}};
  std::vector<Tested<PortRange>> out;
  if (ports.size() <= limit) {
    for (const PortRange& range : ports) out.push_back({range, {}});
    return out;
  }
  nft::FixedSet set{own_name, nft::Field::DestinationPort, true};
  for (const PortRange& range : ports)
    set.members.push_back({std::uint32_t{range.first}, std::uint32_t{range.last}});
  sets.fixed.insert_or_assign(own_name, std::move(set));
  return {{std::nullopt, own_name}};
}

struct ProtocolTest {
  std::optional<std::uint8_t> number;
  std::optional<IcmpTypes> types = std::nullopt;
  std::optional<std::uint8_t> code = std::nullopt;
};

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

// The lists of each dimension, of which every combination is a piece.
struct Dimensions {
  std::vector<Side> sources;
  std::vector<Side> destinations;
  std::vector<ProtocolTest> protocols;
  std::vector<Tested<PortRange>> source_ports;
  std::vector<Tested<PortRange>> destination_ports;

  std::size_t pieces() const {
    return sources.size() * destinations.size() * protocols.size() * source_ports.size() *
           destination_ports.size();
  }
};

Dimensions dimensions(const Match& match, const std::string& key, Limits limits, KernelSets& sets) {
  return {sides_of(match.source, "r." + key + ".s", limits.addresses, sets),
          sides_of(match.destination, "r." + key + ".d", limits.addresses, sets),
          protocol_tests(match),
          ports_of(match.source_ports, "r." + key + ".sport", limits.ports, sets),
          ports_of(match.destination_ports, "r." + key + ".dport", limits.ports, sets)};
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

std::vector<Piece> cut(const Match& match, const std::string& key, KernelSets& sets) {
  Dimensions parts = dimensions(match, key, {}, sets);
  if (parts.pieces() > kManyPieces) parts = dimensions(match, key, {1, 1}, sets);
  std::vector<Piece> pieces;
  for (const Side& source : parts.sources) {
    for (const Side& destination : parts.destinations) {
      for (const auto& family : families_of(match, source, destination)) {
        for (const ProtocolTest& wanted : parts.protocols) {
          for (const auto& source_port : parts.source_ports) {
            for (const auto& destination_port : parts.destination_ports) {
              pieces.push_back({family, match.interface, wanted.number, wanted.types, wanted.code,
                                source.tested, destination.tested, source_port, destination_port,
                                match.hop_limit});
            }
          }
        }
      }
    }
  }
  return pieces;
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
