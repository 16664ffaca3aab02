#include "fwd/kernel/flow_events.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fwd/kernel/attributes.h"
#include "fwd/kernel/conntrack_entry.h"
#include "fwd/owned.h"
#include "fwd/unique_fd.h"

namespace fwd::kernel {
namespace {

using FilterPtr = Owned<nfct_filter, nfct_filter_destroy>;

// In the kernel: a host that forwards for containers has many connections that aren't ours to tell.
Result<void> accept_judged(int fd, CtMark mark) {
  const FilterPtr filter(nfct_filter_create());
  if (filter == nullptr) return failed("make a filter of conntrack events");
  using enum ConnectionState;
  for (const auto wanted : {Approved, Revoked, Lapsed}) {
    const nfct_filter_dump_mark value{.val = mark.encode(wanted, 0), .mask = mark.state_mask()};
    nfct_filter_add_attr(filter.get(), NFCT_FILTER_MARK, &value);
  }
  if (nfct_filter_attach(fd, filter.get()) < 0) return failed("filter conntrack events");
  return {};
}

Result<void> set_buffer(int fd, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return {};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0) return {};
  return failed("make room for conntrack events");
}

Result<void> switch_on(const char* path) {
  const UniqueFd file(::open(path, O_RDWR | O_CLOEXEC));
  if (!file.valid()) return failed(std::string("open ") + path);
  if (write(file.get(), "1", 1) != 1) return failed(std::string("write ") + path);
  return {};
}

bool is_on(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  char digit = '0';
  return file.valid() && ::read(file.get(), &digit, 1) == 1 && digit != '0';
}

// What one system call brings: an event is a datagram of its own, below 1 KiB.
class Datagrams {
 public:
  Datagrams() {
    for (std::size_t at = 0; at < kMost; ++at) {
      vectors_[at] = {.iov_base = buffers_[at].data(), .iov_len = buffers_[at].size()};
      headers_[at].msg_hdr.msg_iov = &vectors_[at];
      headers_[at].msg_hdr.msg_iovlen = 1;
    }
  }

  // How many have come, of at most so many; without waiting, and errors as recvmmsg(2) says them.
  int receive(int fd, std::size_t most) {
    const auto room = static_cast<unsigned>(std::min(most, kMost));
    return recvmmsg(fd, headers_.data(), room, MSG_DONTWAIT, nullptr);
  }

  // The first message, and the bytes from there on.
  std::pair<nlmsghdr*, int> at(std::size_t number) {
    return {reinterpret_cast<nlmsghdr*>(buffers_[number].data()),
            static_cast<int>(headers_[number].msg_len)};
  }

 private:
  static constexpr std::size_t kMost = 32;

  alignas(nlmsghdr) std::array<std::array<std::byte, 2048>, kMost> buffers_;
  std::array<iovec, kMost> vectors_{};
  std::array<mmsghdr, kMost> headers_{};
};

}  // namespace

std::optional<FlowEnd> parse_flow_end(std::span<const std::byte> message) {
  const auto entry = parse_entry(message);
  if (!entry) return std::nullopt;
  return FlowEnd{.first = first_packet(*entry),
                 .mark = entry->mark,
                 .counts = entry->counts,
                 .start_ns = entry->start_ns,
                 .stop_ns = entry->stop_ns};
}

Result<void> switch_on_accounting() {
  for (const char* path : {"/proc/sys/net/netfilter/nf_conntrack_acct",
                           "/proc/sys/net/netfilter/nf_conntrack_timestamp"}) {
    if (is_on(path)) continue;
    if (auto done = switch_on(path); !done) return done;
  }
  return {};
}

Result<FlowEvents> FlowEvents::open(CtMark mark, int buffer_bytes) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER, NF_NETLINK_CONNTRACK_DESTROY);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = set_buffer(socket->fd(), buffer_bytes); !done)
    return std::unexpected(done.error());
  if (auto done = accept_judged(socket->fd(), mark); !done) return std::unexpected(done.error());
  return FlowEvents(std::move(*socket));
}

Result<std::size_t> FlowEvents::read(std::size_t most,
                                     const std::function<void(const FlowEnd&)>& each) {
  Datagrams datagrams;
  std::size_t events = 0;
  while (events < most) {
    const auto received = datagrams.receive(fd(), most - events);
    if (received < 0 && (errno == EINTR || errno == ENOBUFS)) continue;  // lost() tells
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (received < 0) return failed("receive conntrack's events");
    for (std::size_t at = 0; std::cmp_less(at, received); ++at) {
      auto [message, left] = datagrams.at(at);
      for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        ++events;
        const auto end = parse_flow_end(message_bytes(*message));
        end ? each(*end) : void(++lost_);
      }
    }
  }
  return events;
}

std::uint64_t FlowEvents::lost() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> numbers{};
  socklen_t size = sizeof numbers;
  if (getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, numbers.data(), &size) == 0) {
    lost_ += numbers[SK_MEMINFO_DROPS] - dropped_;
    dropped_ = numbers[SK_MEMINFO_DROPS];
  }
  return lost_;
}

}  // namespace fwd::kernel
