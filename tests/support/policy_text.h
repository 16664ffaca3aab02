// Random policies as text, in addresses that a host can be sent packets from and can own. Ranges nest, overlap and touch.
#pragma once

#include <cstdint>
#include <string>

namespace tests {

// Rules are for eth0, eth1 and tun9, have no rate, and are all right: fwd takes the text.
std::string random_policy_text(std::uint64_t seed);

}  // namespace tests
