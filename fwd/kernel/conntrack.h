// Conntrack's entries, read and written through ctnetlink. TCP and UDP only: of other protocols the
// host's sockets tell nothing.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "fwd/kernel/marks.h"
#include "fwd/kernel/netlink.h"
#include "rules/address.h"

namespace fwd::kernel {

// The original direction of a connection.
struct CtTuple {
  std::uint8_t protocol = 0;
  rules::Address source;
  std::uint16_t source_port = 0;
  rules::Address destination;
  std::uint16_t destination_port = 0;

  CtTuple reversed() const {
    return {protocol, destination, destination_port, source, source_port};
  }
  auto operator<=>(const CtTuple&) const = default;
};

class Conntrack {
 public:
  static Result<Conntrack> open();

  // Marks of all TCP and UDP entries.
  Result<std::map<CtTuple, std::uint32_t>> list();

  // Creates the entry as an assured, established connection whose window isn't checked (it was
  // never seen), or changes the mark of one that is there. Bits outside the mask are kept.
  Result<void> put(const CtTuple& tuple, CtMark mark, std::uint32_t bits);
  Result<void> remove(const CtTuple& tuple);  // also done where there is none

 private:
  explicit Conntrack(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

// entries in the table and its limit (nf_conntrack_count, nf_conntrack_max)
struct ConntrackFill {
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
};
Result<ConntrackFill> conntrack_fill();

}  // namespace fwd::kernel
