#include "rules/protocols.h"

#include <array>

namespace rules {
namespace {

struct Known {
  std::string_view name;
  std::uint8_t number;
};

// The first name of a number is the one that is printed.
constexpr std::array kKnown{
    Known{"icmp", protocol::kIcmp},       Known{"igmp", protocol::kIgmp},
    Known{"tcp", protocol::kTcp},         Known{"udp", protocol::kUdp},
    Known{"dccp", protocol::kDccp},       Known{"ipv6", protocol::kIpv6},
    Known{"gre", protocol::kGre},         Known{"esp", protocol::kEsp},
    Known{"ah", protocol::kAh},           Known{"icmpv6", protocol::kIcmpv6},
    Known{"vrrp", protocol::kVrrp},       Known{"sctp", protocol::kSctp},
    Known{"udplite", protocol::kUdpLite}, Known{"ipv6-icmp", protocol::kIcmpv6},
};

}  // namespace

std::string protocol_name(std::uint8_t number) {
  for (const Known& known : kKnown) {
    if (known.number == number) return std::string(known.name);
  }
  return std::to_string(number);
}

std::optional<std::uint8_t> protocol_by_name(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.number;
  }
  return std::nullopt;
}

std::vector<std::string_view> protocol_names() {
  std::vector<std::string_view> names;
  names.reserve(kKnown.size());
  for (const Known& known : kKnown) names.push_back(known.name);
  return names;
}

}  // namespace rules
