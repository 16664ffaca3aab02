// The bytes of nfnetlink_queue (linux/netfilter/nfnetlink_queue.h): what a queue's socket says and
// hears. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#include "fwd/kernel/packet_source.h"

namespace fwd::kernel {

// The packet that a message is about. `message` may be cut short anywhere: what is missing stays
// unset, without the packet's id there is nothing. The packet's bytes point into the message.
std::optional<QueuedPacket> parse_packet(std::span<const std::byte> message) noexcept;

// The errno of an answer, 0 for an acknowledgement; nothing for a message that is no answer.
struct Answer {
  std::uint32_t sequence = 0;
  int error = 0;
};
std::optional<Answer> parse_answer(std::span<const std::byte> message) noexcept;

// NFQNL_MSG_VERDICT, laid out as it goes to the kernel. Any number of them make one send. Made
// for_all_until(), it is NFQNL_MSG_VERDICT_BATCH: for every packet in the queue up to the id.
struct VerdictMessage {
  nlmsghdr header;
  nfgenmsg family;
  nlattr verdict_attribute;
  nfqnl_msg_verdict_hdr verdict;
  nlattr priority_attribute;
  std::uint32_t priority;  // network byte order

  static VerdictMessage for_queue(std::uint16_t queue) noexcept;
  static VerdictMessage for_all_until(std::uint16_t queue) noexcept;
  void set(const Verdict& answer) noexcept;
  void set(std::uint32_t id, std::uint32_t netfilter_verdict, std::uint32_t new_priority) noexcept;
};
static_assert(sizeof(VerdictMessage) == 40);

struct QueueConfiguration {
  std::uint16_t queue = 0;
  std::uint32_t copy_bytes = 0;
  std::uint32_t max_packets = 0;
  std::uint32_t flags = 0;  // NFQA_CFG_F_*
};

// A verdict whose priority is of the wrong length: a kernel that knows the attribute says so with ERANGE, one that doesn't overlooks it and finds no such queue (ENODEV) or packet (ENOENT). To be acknowledged with `sequence`.
std::vector<std::byte> priority_probe(std::uint16_t queue, std::uint32_t sequence);

// One message that binds the queue and sets all of this, to be acknowledged with `sequence`.
std::vector<std::byte> bind_message(const QueueConfiguration& configuration,
                                    std::uint32_t sequence);

}  // namespace fwd::kernel
