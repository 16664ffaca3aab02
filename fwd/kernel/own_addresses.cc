#include "fwd/kernel/own_addresses.h"

#include <memory>
#include <optional>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace fwd::kernel {
namespace {

std::optional<rules::Address> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return rules::Address::v4(ntohl(v4->sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  const auto word = [&](int at) { return std::uint64_t{ntohl(v6->sin6_addr.s6_addr32[at])}; };
  return rules::Address::v6(word(0) << 32 | word(1), word(2) << 32 | word(3));
}

}  // namespace

Result<std::set<rules::Address>> own_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return failed("list this host's addresses");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> guard(list, freeifaddrs);
  std::set<rules::Address> own;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (const auto address = address_of(at->ifa_addr)) own.insert(*address);
  }
  return own;
}

}  // namespace fwd::kernel
