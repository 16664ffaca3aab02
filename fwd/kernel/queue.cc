#include "fwd/kernel/queue.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <cap-ng.h>
#include <fmt/core.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/utsname.h>

namespace fwd::kernel {
namespace {

constexpr std::pair kPriorityRelease{5, 18};  // that NFQA_PRIORITY came with
constexpr std::uint32_t kProbeSequence = 1;
constexpr std::uint32_t kBindSequence = 2;
constexpr int kSendAttempts = 16;

// Without GSO large segments would be cut up before they are queued. With fail-open a full queue
// hands the packet on to chain B instead of dropping it.
constexpr std::uint32_t kFlags = NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;

Result<void> set_tick(int fd) {
  const timeval tick{.tv_sec = 0, .tv_usec = std::chrono::microseconds(kTick).count()};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) < 0) {
    return failed("set the receive timeout of a queue's socket");
  }
  return {};
}

// As large as it may be: a smaller buffer only means that chain B decides more packets of a flood.
void set_buffer(int fd, std::uint32_t bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0) {
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
}

// A connected netlink socket hears nobody but its peer, here the kernel.
Result<void> connect_to_kernel(int fd) {
  const sockaddr_nl kernel{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (connect(fd, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return failed("connect a queue's socket to the kernel");
  }
  return {};
}

bool may_administer() {
  return capng_get_caps_process() == 0 &&
         capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0;
}

// {0, 0} for a name that doesn't begin with numbers.
std::pair<int, int> kernel_release() {
  utsname name{};
  std::pair<int, int> release{0, 0};
  if (uname(&name) == 0) (void)std::sscanf(name.release, "%d.%d", &release.first, &release.second);
  return release;
}

// The kernel says EPERM both to the second one to bind and to one who may not bind at all.
std::unexpected<SystemError> bind_failed(std::uint16_t queue, int error) {
  const auto attempt = fmt::format("bind queue {}", queue);
  if (error == EPERM && !may_administer()) {
    return failed(attempt + ": the capability CAP_NET_ADMIN is missing", 0);
  }
  if (error == EPERM || error == EBUSY) {
    return failed(fmt::format("queue {} is already in use by another program", queue), 0);
  }
  if (error == EINVAL || error == EOPNOTSUPP) {
    return failed(attempt + ": the kernel lacks nfnetlink_queue", error);
  }
  return failed(attempt, error);
}

}  // namespace

Result<std::unique_ptr<Queue>> Queue::open(std::uint16_t number, const QueueSettings& settings) {
  std::unique_ptr<mnl_socket, MnlClose> socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (!socket) return failed("open a queue's socket");
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return failed("bind a queue's socket");
  }
  std::unique_ptr<Queue> queue(new Queue(number, std::move(socket)));
  if (auto done = queue->configure(settings); !done) return std::unexpected(done.error());
  return queue;
}

Queue::Queue(std::uint16_t number, std::unique_ptr<mnl_socket, MnlClose> socket)
    : number_(number), socket_(std::move(socket)), fd_(mnl_socket_get_fd(socket_.get())) {
  verdicts_.fill(VerdictMessage::for_queue(number));
  verdicts_until_.fill(VerdictMessage::for_all_until(number));
  for (std::size_t at = 0; at < kBatchPackets; ++at) {
    vectors_[at] = {.iov_base = buffers_[at].data(), .iov_len = buffers_[at].size()};
    headers_[at].msg_hdr.msg_iov = &vectors_[at];
    headers_[at].msg_hdr.msg_iovlen = 1;
  }
}

Result<void> Queue::configure(const QueueSettings& settings) {
  if (auto done = connect_to_kernel(fd_); !done) return done;
  if (auto done = set_tick(fd_); !done) return done;
  set_buffer(fd_, settings.buffer_bytes);
  if (auto done = check_priority(); !done) return done;

  const auto message = bind_message({.queue = number_,
                                     .copy_bytes = settings.copy_bytes,
                                     .max_packets = settings.max_packets,
                                     .flags = kFlags},
                                    kBindSequence);
  const auto error = request(message, kBindSequence);
  if (!error) return std::unexpected(error.error());
  if (*error != 0) return bind_failed(number_, *error);
  return {};
}

// Verdicts are told to chain B by the packet's priority. An older kernel is asked: distributions carry changes back. A
// newer one isn't, because it complains of the question in its log. Any error but these two is one that binding meets, too.
Result<void> Queue::check_priority() {
  if (kernel_release() >= kPriorityRelease) return {};
  const auto error = request(priority_probe(number_, kProbeSequence), kProbeSequence);
  if (!error) return std::unexpected(error.error());
  if (*error != ENODEV && *error != ENOENT) return {};
  return failed(
      "this kernel can't take a priority in a verdict (NFQA_PRIORITY): fwd needs Linux 5.18 or "
      "later",
      0);
}

Result<int> Queue::request(std::span<const std::byte> message, std::uint32_t sequence) {
  const auto attempt = [&] { return fmt::format("ask the kernel for queue {}", number_); };
  if (::send(fd_, message.data(), message.size(), 0) < 0) return failed(attempt(), errno);
  while (true) {
    const ssize_t received = recv(fd_, buffers_[0].data(), buffers_[0].size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return failed(attempt(), errno);
    const auto answered = std::span(buffers_[0]).first(static_cast<std::size_t>(received));
    if (const auto answer = parse_answer(answered); answer && answer->sequence == sequence)
      return answer->error;
    if (const auto packet = parse_packet(answered)) {
      verdicts_[0].set(packet->id, NF_REPEAT, packet->priority);
      send_prepared(std::span(verdicts_).first(1), 1);
    }
  }
}

Result<std::span<const QueuedPacket>> Queue::receive() {
  if (answered_ < packet_count_) left_behind_ = true;
  packet_count_ = 0;
  answered_ = 0;
  const int count = recvmmsg(fd_, headers_.data(), kBatchPackets, MSG_WAITFORONE, nullptr);
  if (count < 0 && errno == ENOBUFS) {
    counters_.overruns.add();
  } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
    return failed(fmt::format("receive from queue {}", number_));
  }
  for (std::size_t at = 0; std::cmp_less(at, count); ++at) {
    const bool truncated = (headers_[at].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    read_message(std::span(buffers_[at]).first(headers_[at].msg_len), truncated);
  }
  return std::span(packets_).first(packet_count_);
}

void Queue::read_message(std::span<const std::byte> message, bool truncated) noexcept {
  if (truncated) counters_.truncated.add();
  if (const auto packet = parse_packet(message)) {
    packets_[packet_count_++] = *packet;
  } else if (const auto answer = parse_answer(message)) {
    count_answer(answer->error);
  } else {
    counters_.unreadable.add();
    left_behind_ = true;
  }
}

void Queue::count_answer(int error) noexcept {
  if (error == ENOENT) {
    counters_.gone.add();
  } else if (error != 0) {
    counters_.refused.add();
    left_behind_ = true;
  }
}

void Queue::send(std::span<const Verdict> verdicts) noexcept {
  if (verdicts.empty()) return;
  answered_ += verdicts.size();
  // A message for all packets up to one answers older packets as well, so never again once one may
  // have been left in the queue.
  if (left_behind_ || verdicts.size() != packet_count_) {
    send_prepared(std::span(verdicts_).first(prepare_each(verdicts)), verdicts.size());
  } else {
    send_prepared(std::span(verdicts_until_).first(prepare_runs(verdicts)), verdicts.size());
  }
}

std::size_t Queue::prepare_each(std::span<const Verdict> verdicts) noexcept {
  for (std::size_t at = 0; at < verdicts.size(); ++at) verdicts_[at].set(verdicts[at]);
  return verdicts.size();
}

// One message does for neighbours that are answered alike.
std::size_t Queue::prepare_runs(std::span<const Verdict> verdicts) noexcept {
  std::size_t runs = 0;
  for (std::size_t at = 0; at < verdicts.size(); ++at) {
    const bool same_run = at != 0 && verdicts[at].accept == verdicts[at - 1].accept &&
                          verdicts[at].priority == verdicts[at - 1].priority;
    verdicts_until_[same_run ? runs - 1 : runs++].set(verdicts[at]);
  }
  return runs;
}

// The kernel takes a whole datagram or nothing of it.
void Queue::send_prepared(std::span<const VerdictMessage> messages, std::size_t packets) noexcept {
  for (int attempt = 0; attempt < kSendAttempts; ++attempt) {
    if (::send(fd_, messages.data(), messages.size_bytes(), 0) >= 0) return;
    if (errno == EINTR) continue;
    if (errno != ENOBUFS && errno != EAGAIN && errno != ENOMEM) break;
    counters_.send_retries.add();
    sched_yield();
  }
  counters_.unsent.add(packets);
  left_behind_ = true;
}

}  // namespace fwd::kernel
