#include "rules/classifier/cut.h"

#include <algorithm>
#include <array>

namespace rules::classifier {
namespace {

KindTest kind_of(const ProtocolMatch& protocol) {
  KindTest test{kind::kProtocol, protocol.number};
  const auto ask = [&](std::uint64_t value, unsigned shift) {
    test.mask |= kind::kHasIcmp | std::uint64_t{0xff} << shift;
    test.value |= kind::kHasIcmp | value << shift;
  };
  if (protocol.icmp_type) ask(*protocol.icmp_type, kind::kIcmpTypeShift);
  if (protocol.icmp_code) ask(*protocol.icmp_code, kind::kIcmpCodeShift);
  return test;
}

// What holds for all pieces of the rule.
KindTest common_kind(const Match& match, std::optional<InterfaceId> interface) {
  KindTest test;
  if (!match.source_ports.empty() || !match.destination_ports.empty()) {
    test.mask |= kind::kHasPorts;
    test.value |= kind::kHasPorts;
  }
  if (match.hop_limit) {
    test.mask |= std::uint64_t{0xff} << kind::kHopLimitShift;
    test.value |= std::uint64_t{*match.hop_limit} << kind::kHopLimitShift;
  }
  if (interface) {
    test.mask |= kind::kInterface;
    test.value |= kind::of_interface(*interface);
  }
  return test;
}

template <typename F>
struct NumberRange {
  typename F::Number first = 0;
  typename F::Number last = static_cast<typename F::Number>(~typename F::Number{0});
};

unsigned common_bits(V6::Number first, V6::Number last) {
  const V6::Number differing = first ^ last;
  const auto high = static_cast<std::uint64_t>(differing >> 64U);
  const auto low = static_cast<std::uint64_t>(differing);
  return static_cast<unsigned>(high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low));
}

// Whether an entry can say exactly this.
bool is_exact(const NumberRange<V4>&) {
  return true;
}
bool is_exact(const NumberRange<V6>& range) {
  const V6::Number host = ~prefix_mask<V6>(common_bits(range.first, range.last));
  return (range.first & host) == 0 && (range.last & host) == host;
}

AddressPair<V4> pair_of(const NumberRange<V4>& source, const NumberRange<V4>& destination) {
  return {source.first, source.last - source.first, destination.first,
          destination.last - destination.first};
}
AddressPair<V6> pair_of(const NumberRange<V6>& source, const NumberRange<V6>& destination) {
  const auto bits = [](const NumberRange<V6>& range) {
    return static_cast<std::uint8_t>(common_bits(range.first, range.last));
  };
  return {source.first & prefix_mask<V6>(bits(source)),
          destination.first & prefix_mask<V6>(bits(destination)), bits(source), bits(destination)};
}

// One field's alternatives. More than fit the array, or such as no entry can say: `whole` is set.
template <typename Piece>
struct Alternatives {
  std::array<Piece, kMostPieces> pieces{};
  std::size_t count = 0;
  bool whole = false;

  // Takes one that spans all of them instead, and leaves the list to the checks.
  void become(const Piece& hull) {
    pieces[0] = hull;
    count = 1;
    whole = true;
  }
};

template <typename F>
class Cutter {
 public:
  Cutter(const Match& match, std::optional<InterfaceId> interface)
      : match_{match}, common_{common_kind(match, interface)} {
    find(match.source, source_);
    find(match.destination, destination_);
    find(match.source_ports, source_ports_);
    find(match.destination_ports, destination_ports_);
    find_kinds();
    while (product() > kMostPieces) join_longest();
  }

  void append(AddressIndexes& indices, Conditions& conditions,
              std::vector<Entry<F>>& entries) const {
    if (product() == 0) return;
    const Checks checks = this->checks(indices);
    for (std::size_t k = 0; k < kinds_.count; ++k) {
      const KindTest kind{kinds_.pieces[k].mask | common_.mask,
                          kinds_.pieces[k].value | common_.value};
      for (std::size_t s = 0; s < source_.count; ++s) {
        for (std::size_t d = 0; d < destination_.count; ++d) {
          const auto pair = pair_of(source_.pieces[s], destination_.pieces[d]);
          for (std::size_t from = 0; from < source_ports_.count; ++from) {
            for (std::size_t to = 0; to < destination_ports_.count; ++to) {
              entries.push_back({pair, source_ports_.pieces[from], destination_ports_.pieces[to], 0,
                                 conditions.take(kind, checks)});
            }
          }
        }
      }
    }
  }

 private:
  using Range = NumberRange<F>;

  static void find(const AddressMatch& match, Alternatives<Range>& found) {
    if (match.any()) {
      found.count = 1;
      return;
    }
    const auto ranges = match.members->ranges(F::kFamily);
    if (ranges.empty()) return;
    const Range hull{F::number(ranges.front().first), F::number(ranges.back().last)};
    if (ranges.size() > kMostPieces) return found.become(hull);
    for (const AddressRange& range : ranges) {
      const Range piece{F::number(range.first), F::number(range.last)};
      if (!is_exact(piece)) return found.become(hull);
      found.pieces[found.count++] = piece;
    }
  }

  static void find(const ShortList<PortRange>& ranges, Alternatives<PortSpan>& found) {
    if (ranges.empty()) {
      found.count = 1;
    } else if (ranges.size() > kMostPieces) {
      found.become(hull(ranges));
    } else {
      for (const PortRange& range : ranges)
        found.pieces[found.count++] = {range.first,
                                       static_cast<std::uint16_t>(range.last - range.first)};
    }
  }

  static std::vector<PortRange> vector_of(const ShortList<PortRange>& ranges) {
    return {ranges.begin(), ranges.end()};
  }

  static PortSpan hull(const ShortList<PortRange>& ranges) {
    return {ranges.front().first,
            static_cast<std::uint16_t>(ranges.back().last - ranges.front().first)};
  }

  void find_kinds() {
    const auto& protocols = match_.protocols;
    if (protocols.empty()) {
      kinds_.count = 1;
    } else if (protocols.size() > kMostPieces) {
      kinds_.become({});
    } else {
      for (const ProtocolMatch& protocol : protocols)
        kinds_.pieces[kinds_.count++] = kind_of(protocol);
    }
  }

  std::size_t product() const {
    return kinds_.count * source_.count * destination_.count * source_ports_.count *
           destination_ports_.count;
  }

  void join_longest() {
    const std::size_t most = std::max({kinds_.count, source_.count, destination_.count,
                                       source_ports_.count, destination_ports_.count});
    if (source_ports_.count == most) {
      source_ports_.become(hull(match_.source_ports));
    } else if (destination_ports_.count == most) {
      destination_ports_.become(hull(match_.destination_ports));
    } else if (kinds_.count == most) {
      kinds_.become({});
    } else {
      auto& addresses = source_.count == most ? source_ : destination_;
      addresses.become({addresses.pieces[0].first, addresses.pieces[most - 1].last});
    }
  }

  Checks checks(AddressIndexes& indices) const {
    Checks checks;
    if (kinds_.whole) {
      for (const ProtocolMatch& protocol : match_.protocols)
        checks.kinds.push_back(kind_of(protocol));
    }
    if (source_.whole) checks.source = indices.of(match_.source.members);
    if (destination_.whole) checks.destination = indices.of(match_.destination.members);
    if (source_ports_.whole) checks.source_ports = vector_of(match_.source_ports);
    if (destination_ports_.whole) checks.destination_ports = vector_of(match_.destination_ports);
    return checks;
  }

  const Match& match_;
  KindTest common_;
  Alternatives<KindTest> kinds_;
  Alternatives<Range> source_;
  Alternatives<Range> destination_;
  Alternatives<PortSpan> source_ports_;
  Alternatives<PortSpan> destination_ports_;
};

}  // namespace

template <typename F>
void cut(const Match& match, std::optional<InterfaceId> interface, AddressIndexes& indices,
         Conditions& conditions, std::vector<Entry<F>>& entries) {
  Cutter<F>(match, interface).append(indices, conditions, entries);
}

template void cut<V4>(const Match&, std::optional<InterfaceId>, AddressIndexes&, Conditions&,
                      std::vector<Entry<V4>>&);
template void cut<V6>(const Match&, std::optional<InterfaceId>, AddressIndexes&, Conditions&,
                      std::vector<Entry<V6>>&);

}  // namespace rules::classifier
