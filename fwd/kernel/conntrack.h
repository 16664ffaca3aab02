// Conntrack's entries, read and written through ctnetlink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "fwd/kernel/conntrack_entry.h"
#include "fwd/kernel/marks.h"
#include "fwd/kernel/netlink.h"
#include "rules/packet.h"

namespace fwd::kernel {

// A connection as its first packet looked at input or output: after a destination was translated,
// before a source is.
struct CtConnection {
  rules::Packet first;
  std::uint32_t mark = 0;
  bool closed = false;  // TCP whose ends have both finished; conntrack keeps the entry for a while
};

class Conntrack {
 public:
  static Result<Conntrack> open();

  // Calls `decide` for every entry and writes the mark's bits that it returns; nothing leaves the
  // entry alone. Bits outside the mask are kept, and an entry that ends meanwhile is no error.
  using Decide = std::function<std::optional<std::uint32_t>(const CtConnection&)>;
  Result<void> mark_all(std::uint32_t mask, const Decide& decide);

  // Marks of all TCP and UDP entries: of other protocols the host's sockets tell nothing.
  Result<std::map<CtTuple, std::uint32_t>> list();

  // Creates the entry as an assured, established connection whose window isn't checked (it was
  // never seen), or changes the mark of one that is there. Bits outside the mask are kept.
  Result<void> put(const CtTuple& tuple, CtMark mark, std::uint32_t bits);
  Result<void> remove(const CtTuple& tuple);  // also done where there is none

 private:
  explicit Conntrack(NetlinkSocket socket) : socket_(std::move(socket)) {}

  Result<void> dump(const std::function<void(const CtEntry&)>& each);
  // Whole messages one after the other, and where each ends.
  Result<void> send_changes(std::span<std::byte> messages, std::span<const std::size_t> ends);

  NetlinkSocket socket_;
};

// entries in the table and its limit (nf_conntrack_count, nf_conntrack_max)
struct ConntrackFill {
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
};
Result<ConntrackFill> conntrack_fill();

}  // namespace fwd::kernel
