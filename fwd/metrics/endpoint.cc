#include "fwd/metrics/endpoint.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "rules/numbers.h"

namespace fwd::metrics {
namespace {

constexpr int kBacklog = 16;

bool is_loopback(const rules::Address& address) {
  const bool v4 = address.family == rules::Family::V4;
  return v4 ? address.low >> 24 == 127 : address == rules::Address::v6(0, 1);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.address.family == rules::Family::V4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(endpoint.address.low));
    address.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    v6.sin6_addr = in6addr_loopback;
    address.size = sizeof v6;
  }
  return address;
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = rules::read_number<std::uint16_t>(text.substr(colon + 1), 65535);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = rules::parse_address(host);
  if (!port || *port == 0 || !address || !is_loopback(*address)) return std::nullopt;
  if (bracketed != (address->family == rules::Family::V6)) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = rules::to_string(endpoint.address);
  const bool v4 = endpoint.address.family == rules::Family::V4;
  return fmt::format("{}{}{}:{}", v4 ? "" : "[", address, v4 ? "" : "]", endpoint.port);
}

Result<UniqueFd> listen_on(const Endpoint& endpoint) {
  const SocketAddress address = socket_address(endpoint);
  UniqueFd listener(
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return failed("make a TCP socket");
  const int on = 1;
  // For IPv6 the option of the IPv4 level works too (ip(7), net/ipv6/af_inet6.c: inet_can_nonlocal_bind).
  if (setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      setsockopt(listener.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on) != 0)
    return failed("prepare a TCP socket");
  if (bind(listener.get(), address.get(), address.size) != 0)
    return failed("bind " + to_string(endpoint));
  if (listen(listener.get(), kBacklog) != 0) return failed("listen on " + to_string(endpoint));
  return listener;
}

}  // namespace fwd::metrics
