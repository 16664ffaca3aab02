// A netlink socket and acknowledged requests on it. Every kernel conversation but the packets' own
// goes through here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <libmnl/libmnl.h>

#include "fwd/system_error.h"

namespace fwd::kernel {

struct MnlClose {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

class NetlinkSocket {
 public:
  // bus: NETLINK_NETFILTER, NETLINK_ROUTE, NETLINK_SOCK_DIAG. The socket is close-on-exec.
  // groups: multicast groups to join (mnl_socket_bind's bit mask).
  static Result<NetlinkSocket> open(int bus, unsigned groups = 0);

  int fd() const { return mnl_socket_get_fd(socket_.get()); }
  std::uint32_t port() const { return mnl_socket_get_portid(socket_.get()); }
  std::uint32_t next_sequence() { return ++sequence_; }

  // Sends one message or a batch in one sendmsg, then waits (at most 5 s) for the acknowledgement
  // of `last_sequence`, or for the end of its dump. `each` sees every other message that comes. The
  // first error the kernel reports is returned; `what` names the attempt in it. EINTR: somebody changed
  // what is dumped meanwhile.
  using Handler = std::function<void(const nlmsghdr&)>;
  Result<void> request(std::span<const std::byte> messages, std::uint32_t last_sequence,
                       const char* what, const Handler& each = {}) {
    return request(messages, last_sequence, what, each, 0);
  }
  // The same, but some messages may fail with that error, each for itself.
  Result<void> request(std::span<const std::byte> messages, std::uint32_t last_sequence,
                       const char* what, const Handler& each, int tolerated);

  // Of the message that the last failed request() failed on; 0 where the kernel named none.
  std::uint32_t failed_sequence() const { return failed_sequence_; }

 private:
  explicit NetlinkSocket(mnl_socket* socket) : socket_(socket) {}
  void make_room(std::size_t bytes);

  std::unique_ptr<mnl_socket, MnlClose> socket_;
  int send_room_ = 0;  // bytes that the kernel was asked for
  std::uint32_t sequence_ = 0;
  std::uint32_t settled_ = 0;  // answers up to this one belong to earlier requests
  std::uint32_t failed_sequence_ = 0;
};

}  // namespace fwd::kernel
