// The ends of connections, as conntrack's DESTROY events tell them. The kernel sends events of
// connections alone that began while somebody listened (nf_conntrack_events, 2 by default).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "fwd/kernel/conntrack_entry.h"
#include "fwd/kernel/marks.h"
#include "fwd/kernel/netlink.h"
#include "rules/packet.h"

namespace fwd::kernel {

struct FlowEnd {
  rules::Packet first;  // as CtConnection::first
  std::uint32_t mark = 0;
  std::optional<CtEntry::Counts> counts;
  std::optional<std::int64_t> start_ns;  // since 1970; both or none, likewise
  std::optional<std::int64_t> stop_ns;
};

// Nothing for a message that isn't a conntrack entry of IPv4 or IPv6.
std::optional<FlowEnd> parse_flow_end(std::span<const std::byte> message);

// Lets conntrack count packets and bytes and keep times, of connections that begin from now on; in
// this network namespace. Nobody switches it off again: others may count on it by then.
Result<void> switch_on_accounting();

class FlowEvents {
 public:
  static constexpr int kBufferBytes = 8 << 20;  // some 8000 events

  // Of connections that carry a verdict in their mark.
  static Result<FlowEvents> open(CtMark mark, int buffer_bytes = kBufferBytes);

  int fd() const { return socket_.fd(); }

  // Hands on at most `most` of those that have come, without waiting. How many they were.
  Result<std::size_t> read(std::size_t most, const std::function<void(const FlowEnd&)>& each);

  // Since open(): those that the buffer had no room for, and those that couldn't be understood.
  std::uint64_t lost();

 private:
  explicit FlowEvents(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
  std::uint32_t dropped_ = 0;  // by the kernel, as read last; wraps
  std::uint64_t lost_ = 0;
};

}  // namespace fwd::kernel
