#include "fwd/kernel/route.h"

#include <array>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace fwd::kernel {
namespace {

int take_interface(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == RTA_OIF)
    *static_cast<unsigned*>(data) = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

void put_address(nlmsghdr* message, const rules::Address& address) {
  std::array<std::uint8_t, 16> bytes{};
  const bool ipv4 = address.family == rules::Family::V4;
  const std::size_t size = ipv4 ? 4 : 16;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t from_end = size - 1 - i;
    const std::uint64_t half = from_end < 8 ? address.low : address.high;
    bytes[i] = static_cast<std::uint8_t>(half >> (8 * (from_end % 8)));
  }
  mnl_attr_put(message, RTA_DST, size, bytes.data());
}

}  // namespace

Result<Routes> Routes::open() {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return std::unexpected(socket.error());
  return Routes(std::move(*socket));
}

unsigned Routes::interface_to(const rules::Address& address) {
  const bool ipv4 = address.family == rules::Family::V4;
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_GETROUTE;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message->nlmsg_seq = socket_.next_sequence();
  auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
  route->rtm_family = ipv4 ? AF_INET : AF_INET6;
  route->rtm_dst_len = ipv4 ? 32 : 128;
  put_address(message, address);

  unsigned interface = 0;
  const auto each = [&](const nlmsghdr& answer) {
    if (answer.nlmsg_type == RTM_NEWROUTE)
      mnl_attr_parse(&answer, sizeof(rtmsg), take_interface, &interface);
  };
  const auto bytes = std::as_bytes(std::span(buffer.data(), message->nlmsg_len));
  if (!socket_.request(bytes, message->nlmsg_seq, "ask for a route", each)) return 0;
  return interface;
}

}  // namespace fwd::kernel
