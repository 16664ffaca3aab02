// Queue::open() binds one NFQUEUE and gives its packets to a worker. One netlink socket, used by
// one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "fwd/kernel/netlink.h"
#include "fwd/kernel/packet_source.h"
#include "fwd/kernel/queue_message.h"
#include "fwd/system_error.h"

namespace fwd::kernel {

struct QueueSettings {
  std::uint32_t copy_bytes = 256;  // of each packet, from the IP header on
  std::uint32_t max_packets =
      8192;  // waiting in the kernel; what comes on top goes to chain B (fail-open)
  std::uint32_t buffer_bytes = 16U << 20U;  // of the socket
};

class Queue final : public PacketSource {
 public:
  // The error says in words when another program has the queue or when CAP_NET_ADMIN is missing.
  static Result<std::unique_ptr<Queue>> open(std::uint16_t number,
                                             const QueueSettings& settings = {});

  Result<std::span<const QueuedPacket>> receive() override;
  void send(std::span<const Verdict> verdicts) noexcept override;
  std::uint16_t number() const noexcept override { return number_; }
  const SourceCounters& counters() const noexcept override { return counters_; }

 private:
  // A message has some 200 bytes of attributes besides the copied packet; 1 kB is twice what it
  // needs. A cache line more, so that not all buffers begin in the same few sets of the cache.
  static constexpr std::size_t kMessageBytes = 1024 + 64;
  using MessageBuffer = std::array<std::byte, kMessageBytes>;

  Queue(std::uint16_t number, std::unique_ptr<mnl_socket, MnlClose> socket);

  Result<void> configure(const QueueSettings& settings);
  Result<void> check_priority();
  // The errno that the kernel answers, 0 for an acknowledgement.
  Result<int> request(std::span<const std::byte> message, std::uint32_t sequence);
  void read_message(std::span<const std::byte> message, bool truncated) noexcept;
  void count_answer(int error) noexcept;
  std::size_t prepare_each(std::span<const Verdict> verdicts) noexcept;
  std::size_t prepare_runs(std::span<const Verdict> verdicts) noexcept;
  void send_prepared(std::span<const VerdictMessage> messages, std::size_t packets) noexcept;

  const std::uint16_t number_;
  const std::unique_ptr<mnl_socket, MnlClose> socket_;
  const int fd_;
  std::array<MessageBuffer, kBatchPackets> buffers_;
  std::array<iovec, kBatchPackets> vectors_{};
  std::array<mmsghdr, kBatchPackets> headers_{};
  std::array<QueuedPacket, kBatchPackets> packets_;
  std::size_t packet_count_ = 0;  // of the last receive()
  std::size_t answered_ = 0;      // of these
  bool left_behind_ = false;      // a packet may be in the queue that was received and not answered
  std::array<VerdictMessage, kBatchPackets> verdicts_;
  std::array<VerdictMessage, kBatchPackets> verdicts_until_;  // each for all packets up to one
  SourceCounters counters_;
};

}  // namespace fwd::kernel
