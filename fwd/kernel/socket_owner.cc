#include "fwd/kernel/socket_owner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "fwd/kernel/inet_address.h"

namespace fwd::kernel {
namespace {

struct End {
  rules::Address address;
  std::uint16_t port = 0;
};

inet_diag_req_v2& begin(std::span<char> buffer, std::uint16_t flags, std::uint32_t sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  message->nlmsg_seq = sequence;
  return *static_cast<inet_diag_req_v2*>(
      mnl_nlmsg_put_extra_header(message, sizeof(inet_diag_req_v2)));
}

std::span<const std::byte> bytes_of(std::span<const char> buffer) {
  const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
  return std::as_bytes(buffer.first(message->nlmsg_len));
}

// A UDP socket is looked up as a packet to it would be: from the peer (net/ipv4/udp_diag.c, udp_dump_one).
void set_ends(inet_diag_sockid& id, std::uint8_t protocol, const End& local, const End& peer) {
  const bool swapped = protocol == IPPROTO_UDP;
  const End& source = swapped ? peer : local;
  const End& destination = swapped ? local : peer;
  std::ranges::copy(network_words(source.address), id.idiag_src);
  std::ranges::copy(network_words(destination.address), id.idiag_dst);
  id.idiag_sport = htons(source.port);
  id.idiag_dport = htons(destination.port);
}

// No process holds a socket in TIME_WAIT, one that waits for the handshake, or one that was closed:
// the kernel gives those uid 0 and no inode.
SocketOwner owner_of(const nlmsghdr& answer) {
  const auto* info = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&answer));
  SocketOwner owner;
  if (info->idiag_inode != 0) owner.uid = info->idiag_uid;
  const auto read = [](const nlattr* attribute, void* data) {
    if (mnl_attr_get_type(attribute) == INET_DIAG_CGROUP_ID &&
        mnl_attr_validate(attribute, MNL_TYPE_U64) >= 0)
      static_cast<SocketOwner*>(data)->cgroup = mnl_attr_get_u64(attribute);
    return MNL_CB_OK;
  };
  mnl_attr_parse(&answer, sizeof *info, read, &owner);
  return owner;
}

}  // namespace

Result<SocketOwners> SocketOwners::open() {
  auto socket = NetlinkSocket::open(NETLINK_SOCK_DIAG);
  if (!socket) return std::unexpected(socket.error());
  SocketOwners owners(std::move(*socket));
  for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
    if (auto done = owners.probe(protocol); !done) return std::unexpected(done.error());
  }
  return owners;
}

// A dump of no state. Where the kernel lacks the protocol it says ENOENT, as it does of a socket that isn't there.
Result<void> SocketOwners::probe(std::uint8_t protocol) {
  std::array<char, 256> buffer{};
  const std::uint32_t sequence = socket_.next_sequence();
  inet_diag_req_v2& request = begin(buffer, NLM_F_DUMP, sequence);
  request.sdiag_family = AF_INET;
  request.sdiag_protocol = protocol;
  return socket_.request(bytes_of(buffer), sequence, "ask for the owners of sockets");
}

Result<std::optional<SocketOwner>> SocketOwners::find(const rules::Packet& first,
                                                      rules::Direction direction,
                                                      std::uint32_t interface_index) {
  const bool tcp = first.protocol == IPPROTO_TCP;
  if (!tcp && first.protocol != IPPROTO_UDP) return std::nullopt;
  const bool inbound = direction == rules::Direction::In;
  End local{first.source, first.source_port};
  End peer{first.destination, first.destination_port};
  if (inbound) std::swap(local, peer);
  const bool listener = tcp && inbound;
  if (listener) peer = {rules::Address{.family = local.address.family}, 0};  // nobody's connection

  std::array<char, 256> buffer{};
  const std::uint32_t sequence = socket_.next_sequence();
  inet_diag_req_v2& request = begin(buffer, NLM_F_ACK, sequence);
  request.sdiag_family = local.address.family == rules::Family::V4 ? AF_INET : AF_INET6;
  request.sdiag_protocol = first.protocol;
  request.idiag_states = ~0U;
  set_ends(request.id, first.protocol, local, peer);
  request.id.idiag_if = interface_index;
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

  std::optional<SocketOwner> owner;
  const auto each = [&](const nlmsghdr& answer) {
    if (answer.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        answer.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg)))
      return;
    const auto* info = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&answer));
    if (tcp && (info->idiag_state == TCP_LISTEN) != listener) return;
    owner = owner_of(answer);
  };
  const auto done = socket_.request(bytes_of(buffer), sequence, "ask for a socket's owner", each);
  if (!done && done.error().code != ENOENT) return std::unexpected(done.error());
  return owner;
}

}  // namespace fwd::kernel
