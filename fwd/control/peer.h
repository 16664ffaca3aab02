// Who is at the other end of a Unix socket, as the kernel says: as of its connect(), and beyond the
// peer's control.
#pragma once

#include <vector>

#include <sys/types.h>

#include "fwd/system_error.h"

namespace fwd::control {

struct Peer {
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
  std::vector<gid_t> groups;  // the primary one and the supplementary ones
};

Result<Peer> peer_of(int socket);

using PeerOf = Result<Peer> (*)(int socket);

}  // namespace fwd::control
