// Who owns the socket of a connection that a record speaks of: what the audit log's writer asks for
// each line. It takes a bounded part of the writer's time: who serves a port is asked once a second,
// and no more than so many questions are asked in a second.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "fwd/audit/owner.h"
#include "fwd/audit/record.h"
#include "fwd/cgroup_units.h"
#include "fwd/kernel/socket_owner.h"

namespace fwd {

// Of one thread.
class OwnerLookup {
 public:
  using Clock = std::chrono::steady_clock;
  // SocketOwners::find(), with errors told already: nothing where there is no socket.
  using Find = std::function<std::optional<kernel::SocketOwner>(
      const rules::Packet& first, rules::Direction direction, std::uint32_t interface_index)>;

  static constexpr std::size_t kMostKept = 1024;
  static constexpr int kMostAsked = 5000;  // in a second; one takes some 5 us
  static constexpr std::chrono::seconds kKept{1};

  OwnerLookup(Find find, CgroupUnits units, std::function<Clock::time_point()> now = Clock::now);

  // Valid until the next call.
  audit::Owner of(const audit::VerdictRecord& record);

 private:
  // What takes new connections; many peers have the same one.
  struct Server {
    std::uint8_t protocol = 0;
    rules::Address address;
    std::uint16_t port = 0;
    std::uint32_t interface_index = 0;

    auto operator<=>(const Server&) const = default;
  };

  std::optional<kernel::SocketOwner> find(const audit::VerdictRecord& record);
  std::optional<kernel::SocketOwner> ask(const audit::VerdictRecord& record);

  const Find find_;
  CgroupUnits units_;
  const std::function<Clock::time_point()> now_;
  std::map<Server, kernel::SocketOwner> servers_;
  Clock::time_point second_;  // when servers_ and asked_ begin anew
  int asked_ = 0;
};

// Of this host. Where it can't be known, that is logged once and all owners are unknown.
OwnerLookup host_owners();

}  // namespace fwd
