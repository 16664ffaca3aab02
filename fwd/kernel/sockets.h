// The live connections of this host, as its sockets know them (sock_diag): who opened them can be
// told from who listens.
#pragma once

#include <cstdint>
#include <vector>

#include "fwd/system_error.h"
#include "rules/address.h"
#include "rules/policy.h"

namespace fwd::kernel {

struct LiveConnection {
  std::uint8_t protocol = 0;                          // TCP or UDP
  rules::Direction direction = rules::Direction::In;  // In: the peer opened it
  rules::Address local;
  std::uint16_t local_port = 0;
  rules::Address peer;
  std::uint16_t peer_port = 0;

  rules::Address source() const { return direction == rules::Direction::In ? peer : local; }
  rules::Address destination() const { return direction == rules::Direction::In ? local : peer; }
  std::uint16_t source_port() const {
    return direction == rules::Direction::In ? peer_port : local_port;
  }
  std::uint16_t destination_port() const {
    return direction == rules::Direction::In ? local_port : peer_port;
  }
};

// TCP connections that can still carry data or a FIN, and connected UDP sockets; none over loopback
// addresses.
Result<std::vector<LiveConnection>> live_connections();

}  // namespace fwd::kernel
