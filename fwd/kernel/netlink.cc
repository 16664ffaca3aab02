#include "fwd/kernel/netlink.h"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace fwd::kernel {
namespace {

constexpr int kAnswerTimeoutMs = 5000;
constexpr std::size_t kReceiveBytes = 64 * 1024;  // a dump's parts have at most half of that

void set_option(int fd, int option) {
  const int on = 1;
  // Older kernels don't know these; they only make answers shorter and errors clearer.
  (void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
}

Result<void> wait_readable(int fd, int timeout_ms, const char* what) {
  pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do ready = poll(&poll_fd, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return failed(what);
  if (ready == 0) return failed(what, ETIMEDOUT);
  return {};
}

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open(int bus, unsigned groups) {
  mnl_socket* raw = mnl_socket_open2(bus, SOCK_CLOEXEC);
  if (raw == nullptr) return failed("open a netlink socket");
  NetlinkSocket socket(raw);
  if (mnl_socket_bind(raw, groups, MNL_SOCKET_AUTOPID) < 0) return failed("bind a netlink socket");
  set_option(socket.fd(), NETLINK_CAP_ACK);
  return socket;
}

// A batch must go out in one sendmsg; the default send buffer is too small for a large one.
void NetlinkSocket::make_room(std::size_t bytes) {
  const int room = static_cast<int>(std::min<std::size_t>(bytes * 2 + 65536, 1U << 30));
  if (room <= send_room_) return;
  if (setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0) {
    (void)setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  send_room_ = room;
}

Result<void> NetlinkSocket::request(std::span<const std::byte> messages,
                                    std::uint32_t last_sequence, const char* what,
                                    const Handler& each, int tolerated) {
  make_room(messages.size());
  if (mnl_socket_sendto(socket_.get(), messages.data(), messages.size()) < 0) return failed(what);

  const std::uint32_t settled = std::exchange(settled_, last_sequence);
  failed_sequence_ = 0;
  const auto answers = std::make_unique_for_overwrite<std::byte[]>(kReceiveBytes);
  bool interrupted = false;  // then read to the end all the same: a socket has one dump at a time
  while (true) {
    if (auto ready = wait_readable(fd(), kAnswerTimeoutMs, what); !ready) return ready;
    const ssize_t received = mnl_socket_recvfrom(socket_.get(), answers.get(), kReceiveBytes);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return failed(what);
    int left = static_cast<int>(received);
    for (auto* header = reinterpret_cast<nlmsghdr*>(answers.get()); mnl_nlmsg_ok(header, left);
         header = mnl_nlmsg_next(header, &left)) {
      if (header->nlmsg_seq <= settled) continue;
      interrupted = interrupted || (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header->nlmsg_type == NLMSG_ERROR) {
        const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
        const bool passed = error->error == 0 || (tolerated != 0 && error->error == -tolerated);
        if (!passed) {
          failed_sequence_ = header->nlmsg_seq;
          return failed(what, -error->error);
        }
        if (header->nlmsg_seq == last_sequence) return {};
      } else if (header->nlmsg_type == NLMSG_DONE) {
        const auto code = *static_cast<const int*>(mnl_nlmsg_get_payload(header));
        if (code < 0) return failed(what, -code);
        if (interrupted) return failed(what, EINTR);
        if (header->nlmsg_seq == last_sequence) return {};
      } else if (each) {
        each(*header);
      }
    }
  }
}

}  // namespace fwd::kernel
