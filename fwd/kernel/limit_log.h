// What the meters of `limit` rules let through and refused, as chain B reports it by NFLOG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "fwd/kernel/marks.h"
#include "fwd/kernel/netlink.h"
#include "rules/policy.h"

namespace fwd::kernel {

struct LimitEvent {
  LimitSlot slot = 0;
  bool refused = false;
  rules::Direction hook = rules::Direction::In;
  std::uint32_t interface_index = 0;  // that the packet came in by or goes out by
  std::span<const std::byte>
      packet;  // from the IP header, cut to the log's snaplen; valid during the call
};

class LimitLog {
 public:
  // Binds to the NFLOG group; fails with EPERM or EBUSY when another program has it.
  static Result<LimitLog> open(std::uint16_t group);

  int fd() const { return socket_.fd(); }

  // Hands on everything that has arrived, without waiting.
  Result<void> drain(const std::function<void(const LimitEvent&)>& each);

  // Messages the kernel could not deliver, found by gaps in their sequence numbers.
  std::uint64_t lost() const { return lost_; }

 private:
  explicit LimitLog(NetlinkSocket socket) : socket_(std::move(socket)) {}
  void handle(const nlmsghdr& message, const std::function<void(const LimitEvent&)>& each);

  NetlinkSocket socket_;
  std::uint32_t next_ = 0;
  bool started_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace fwd::kernel
