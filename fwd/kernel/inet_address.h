// Addresses as the kernel's interfaces carry them: one word of IPv4, four of IPv6, in network byte
// order.
#pragma once

#include <array>
#include <cstdint>

#include "rules/address.h"

namespace fwd::kernel {

// `family`: AF_INET or AF_INET6.
rules::Address address_from(std::uint8_t family, const void* words);

// Of IPv4 the first word, and zeros.
std::array<std::uint32_t, 4> network_words(const rules::Address& address);

}  // namespace fwd::kernel
