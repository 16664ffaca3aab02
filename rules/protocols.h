// The protocols that the language knows by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "rules/policy.h"

namespace rules {

// By name or alias ("icmpv6" is also "ipv6-icmp"); not by number.
std::optional<std::uint8_t> protocol_by_name(std::string_view name);

std::vector<std::string_view> protocol_names();

}  // namespace rules
