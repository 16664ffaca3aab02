#include "rules/classifier/corner.h"

namespace rules::classifier {
namespace {

template <typename F>
std::optional<typename F::Number> first_member(const AddressMatch& match) {
  if (match.any()) return typename F::Number{0};
  const auto ranges = match.members->ranges(F::kFamily);
  if (ranges.empty()) return std::nullopt;
  return F::number(ranges.front().first);
}

std::uint64_t kind_of(const Match& match, std::optional<InterfaceId> interface) {
  std::uint64_t kind = kind::of_interface(interface.value_or(kOtherInterface)) |
                       std::uint64_t{match.hop_limit.value_or(0)} << kind::kHopLimitShift;
  if (!match.source_ports.empty() || !match.destination_ports.empty()) kind |= kind::kHasPorts;
  if (match.protocols.empty()) return kind | kind::kNoProtocol;
  const ProtocolMatch& protocol = match.protocols.front();
  kind |= protocol.number;
  if (protocol.icmp_type || protocol.icmp_code) {
    kind |= kind::kHasIcmp | std::uint64_t{protocol.icmp_type.value_or(0)} << kind::kIcmpTypeShift |
            std::uint64_t{protocol.icmp_code.value_or(0)} << kind::kIcmpCodeShift;
  }
  return kind;
}

std::uint16_t first_port(const ShortList<PortRange>& ranges) {
  return ranges.empty() ? std::uint16_t{0} : ranges.front().first;
}

}  // namespace

template <typename F>
std::optional<Point<F>> corner(const Match& match, std::optional<InterfaceId> interface) {
  const auto source = first_member<F>(match.source);
  const auto destination = first_member<F>(match.destination);
  if (!source || !destination) return std::nullopt;
  return Point<F>{*source, *destination,
                  both_ports(first_port(match.source_ports), first_port(match.destination_ports)),
                  kind_of(match, interface)};
}

template std::optional<Point<V4>> corner(const Match&, std::optional<InterfaceId>);
template std::optional<Point<V6>> corner(const Match&, std::optional<InterfaceId>);

}  // namespace rules::classifier
