// The network interfaces of this namespace, and word of their change (rtnetlink).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "fwd/kernel/netlink.h"

namespace fwd::kernel {

using LinkNames = std::map<std::uint32_t, std::string>;  // by interface index

// The names as last read, for any thread: asking the kernel costs three system calls a name.
class LinkTable {
 public:
  void replace(LinkNames names);

  // Asks the kernel about an interface that is newer than the table; empty where there is none.
  std::string name(std::uint32_t index) const;

 private:
  mutable std::mutex mutex_;
  LinkNames names_;
};

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
