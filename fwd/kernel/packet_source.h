// Where a worker's packets come from and its verdicts go to: the seam between the engine and
// NFQUEUE (queue.h). Tests put a fake behind it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fwd/kernel/counter.h"
#include "fwd/system_error.h"
#include "rules/policy.h"

namespace fwd::kernel {

inline constexpr std::size_t kBatchPackets = 64;
inline constexpr std::chrono::milliseconds kTick{100};

// All numbers in host byte order.
struct QueuedPacket {
  std::uint32_t id = 0;
  std::uint32_t priority = 0;         // 0 as well where the kernel doesn't tell it
  std::uint32_t interface_index = 0;  // that it came in by (In) or goes out by (Out); 0 unknown
  rules::Direction hook = rules::Direction::In;
  std::size_t wire_length = 0;  // of the IP packet before the kernel cut it
  // From the IP header on; empty where the kernel gave none. Valid until the next receive().
  std::span<const std::byte> bytes;
};

struct Verdict {
  std::uint32_t id = 0;
  bool accept = false;
  std::uint32_t priority = 0;  // becomes the packet's priority, all 32 bits of it
};

// Written by the worker's thread alone.
struct SourceCounters {
  Counter overruns;  // ENOBUFS: the socket's buffer was full at least once
  Counter
      truncated;  // messages longer than the receive buffer; their packets are judged undecodable
  Counter unreadable;    // messages that aren't a packet of this queue
  Counter unsent;        // verdicts that the kernel didn't take: their packets stay in the queue
  Counter send_retries;  // attempts to send that failed for lack of memory
  Counter gone;          // ENOENT: the packet had left the queue before its verdict came
  Counter refused;       // any other answer to a verdict
};

class PacketSource {
 public:
  virtual ~PacketSource() = default;

  // At most kBatchPackets; none when nothing came for kTick. An error is final: nothing will come
  // any more.
  virtual Result<std::span<const QueuedPacket>> receive() = 0;

  // Of packets of the last receive(), in its order; at most kBatchPackets, in one send. What fails is counted: there is nobody to hand it back to.
  virtual void send(std::span<const Verdict> verdicts) noexcept = 0;

  virtual std::uint16_t number() const noexcept = 0;  // of the queue
  virtual const SourceCounters& counters() const noexcept = 0;
};

}  // namespace fwd::kernel
