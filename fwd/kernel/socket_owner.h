// Whose socket a connection of this host begins or ends at, asked of the kernel by sock_diag. It
// needs no privilege.
#pragma once

#include <cstdint>
#include <optional>

#include "fwd/kernel/netlink.h"
#include "fwd/system_error.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::kernel {

struct SocketOwner {
  std::optional<std::uint32_t> uid;     // absent where no process holds the socket (any more)
  std::optional<std::uint64_t> cgroup;  // id in the cgroup2 hierarchy
};

class SocketOwners {
 public:
  // Fails where this kernel can't tell of TCP or UDP sockets.
  static Result<SocketOwners> open();

  // Of TCP: who listens where the connection goes to (In), or who opens it (Out). Of UDP: the socket
  // that takes its packets on this host. `interface_index`: that it comes in by or goes out by, 0
  // where that isn't known. Nothing where there is no such socket, nor of other protocols.
  Result<std::optional<SocketOwner>> find(const rules::Packet& first, rules::Direction direction,
                                          std::uint32_t interface_index);

 private:
  explicit SocketOwners(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Result<void> probe(std::uint8_t protocol);

  NetlinkSocket socket_;
};

}  // namespace fwd::kernel
