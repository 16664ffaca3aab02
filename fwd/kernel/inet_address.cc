#include "fwd/kernel/inet_address.h"

#include <arpa/inet.h>

namespace fwd::kernel {

rules::Address address_from(std::uint8_t family, const void* words) {
  const auto* word = static_cast<const std::uint32_t*>(words);
  if (family == AF_INET) return rules::Address::v4(ntohl(word[0]));
  return rules::Address::v6(std::uint64_t{ntohl(word[0])} << 32 | ntohl(word[1]),
                            std::uint64_t{ntohl(word[2])} << 32 | ntohl(word[3]));
}

std::array<std::uint32_t, 4> network_words(const rules::Address& address) {
  if (address.family == rules::Family::V4)
    return {htonl(static_cast<std::uint32_t>(address.low)), 0, 0, 0};
  return {htonl(static_cast<std::uint32_t>(address.high >> 32)),
          htonl(static_cast<std::uint32_t>(address.high)),
          htonl(static_cast<std::uint32_t>(address.low >> 32)),
          htonl(static_cast<std::uint32_t>(address.low))};
}

}  // namespace fwd::kernel
