#include "fwd/control/peer.h"

#include <sys/socket.h>

namespace fwd::control {

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return failed("read the peer's user");

  // With too short a buffer the kernel says how long it must be (ERANGE).
  std::vector<gid_t> groups;
  size = 0;
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return failed("read the peer's groups");
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  groups.push_back(credentials.gid);
  return Peer{credentials.uid, credentials.pid, std::move(groups)};
}

}  // namespace fwd::control
