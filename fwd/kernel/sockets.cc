#include "fwd/kernel/sockets.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "fwd/kernel/netlink.h"

namespace fwd::kernel {
namespace {

constexpr std::uint32_t kAllStates = 0xffffffff;

struct Socket {
  std::uint8_t protocol = 0;
  std::uint8_t state = 0;
  rules::Address local;
  std::uint16_t local_port = 0;
  rules::Address peer;
  std::uint16_t peer_port = 0;
};

rules::Address address_of(std::uint8_t family, const __be32 (&words)[4]) {
  if (family == AF_INET) return rules::Address::v4(ntohl(words[0]));
  if (words[0] == 0 && words[1] == 0 && words[2] == htonl(0xffff))
    return rules::Address::v4(ntohl(words[3]));
  return rules::Address::v6(std::uint64_t{ntohl(words[0])} << 32 | ntohl(words[1]),
                            std::uint64_t{ntohl(words[2])} << 32 | ntohl(words[3]));
}

Result<void> list(NetlinkSocket& socket, std::uint8_t family, std::uint8_t protocol,
                  std::vector<Socket>& found) {
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = socket.next_sequence();
  auto* request =
      static_cast<inet_diag_req_v2*>(mnl_nlmsg_put_extra_header(message, sizeof(inet_diag_req_v2)));
  request->sdiag_family = family;
  request->sdiag_protocol = protocol;
  request->idiag_states = kAllStates;

  const auto each = [&](const nlmsghdr& answer) {
    if (answer.nlmsg_type != SOCK_DIAG_BY_FAMILY) return;
    const auto* info = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&answer));
    found.push_back(
        {protocol, info->idiag_state, address_of(info->idiag_family, info->id.idiag_src),
         ntohs(info->id.idiag_sport), address_of(info->idiag_family, info->id.idiag_dst),
         ntohs(info->id.idiag_dport)});
  };
  return socket.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                        message->nlmsg_seq, "list the host's sockets", each);
}

bool carries_data(const Socket& socket) {
  switch (socket.state) {
    case TCP_ESTABLISHED:
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
      return socket.peer_port != 0;
    default:
      return false;
  }
}

// Of TCP a listener; of UDP a socket without a peer, which answers anybody.
bool serves(const Socket& socket) {
  if (socket.protocol == IPPROTO_TCP) return socket.state == TCP_LISTEN;
  return socket.peer_port == 0;
}

bool is_any(const rules::Address& address) {
  return address.high == 0 && address.low == 0;
}

bool is_loopback(const rules::Address& address) {
  if (address.family == rules::Family::V4) return address.low >> 24 == 127;
  return address.high == 0 && address.low == 1;
}

bool accepts(const Socket& server, const Socket& connection) {
  return server.protocol == connection.protocol && server.local_port == connection.local_port &&
         (is_any(server.local) || server.local == connection.local);
}

}  // namespace

Result<std::vector<LiveConnection>> live_connections() {
  auto socket = NetlinkSocket::open(NETLINK_SOCK_DIAG);
  if (!socket) return std::unexpected(socket.error());
  std::vector<Socket> sockets;
  for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
      if (auto done = list(*socket, family, protocol, sockets); !done)
        return std::unexpected(done.error());
    }
  }

  std::vector<Socket> servers;
  std::ranges::copy_if(sockets, std::back_inserter(servers), serves);
  std::vector<LiveConnection> connections;
  for (const Socket& one : sockets) {
    if (serves(one) || !carries_data(one) || is_loopback(one.local) || is_loopback(one.peer))
      continue;
    const bool inbound =
        std::ranges::any_of(servers, [&](const Socket& server) { return accepts(server, one); });
    connections.push_back({one.protocol, inbound ? rules::Direction::In : rules::Direction::Out,
                           one.local, one.local_port, one.peer, one.peer_port});
  }
  return connections;
}

}  // namespace fwd::kernel
