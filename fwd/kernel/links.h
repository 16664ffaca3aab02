// The network interfaces of this namespace, and word of their change (rtnetlink).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "fwd/kernel/netlink.h"

namespace fwd::kernel {

using LinkNames = std::map<std::uint32_t, std::string>;  // by interface index

class Links {
 public:
  static Result<Links> open();

  // Readable when an interface came, went or was renamed.
  int fd() const { return events_.fd(); }

  // Takes the pending events off the socket, without waiting. Events that were lost count as a
  // change.
  void drain();

  Result<LinkNames> names();

 private:
  Links(NetlinkSocket events, NetlinkSocket requests)
      : events_(std::move(events)), requests_(std::move(requests)) {}

  NetlinkSocket events_;
  NetlinkSocket requests_;
};

}  // namespace fwd::kernel
