// The ends of connections, from conntrack to the audit log.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "fwd/audit/flow.h"
#include "fwd/audit/flow_reader.h"
#include "fwd/engine/active_policy.h"
#include "fwd/kernel/flow_events.h"
#include "fwd/kernel/marks.h"

namespace fwd {

// Nothing where the policy wants no records of such connections. `direction`: nothing where neither
// end is this host's. `now_ns` stands for an end whose time the kernel didn't keep.
std::optional<audit::FlowRecord> flow_record(const kernel::FlowEnd& end, kernel::CtMark mark,
                                             std::optional<rules::Direction> direction,
                                             const engine::ActivePolicy& active,
                                             std::int64_t now_ns);

// Who opened a connection, by this host's addresses. They are read again every few seconds, and when
// a connection seems to have no end here.
class DirectionFinder {
 public:
  using Clock = std::chrono::steady_clock;
  using Addresses = std::function<std::set<rules::Address>()>;

  explicit DirectionFinder(Addresses addresses,
                           std::function<Clock::time_point()> now = Clock::now);

  std::optional<rules::Direction> of(const rules::Packet& first);

 private:
  static constexpr std::chrono::seconds kOld{5};
  static constexpr std::chrono::milliseconds kYoung{100};

  std::optional<rules::Direction> look(const rules::Packet& first) const;
  bool refresh_after(Clock::duration age);

  const Addresses addresses_;
  const std::function<Clock::time_point()> now_;
  std::set<rules::Address> own_;
  std::optional<Clock::time_point> read_at_;
};

class ConntrackFlows final : public audit::FlowSource {
 public:
  using Policy = std::function<std::shared_ptr<const engine::ActivePolicy>()>;

  // Switches accounting on; where it can't, that is logged, and the records are without counts.
  // `policy`: the one in force, asked by the reading thread.
  static Result<std::unique_ptr<ConntrackFlows>> open(kernel::CtMark mark, Policy policy);

  int fd() const override { return events_.fd(); }
  std::size_t read(std::size_t most,
                   const std::function<void(const audit::FlowRecord&)>& each) override;
  std::uint64_t lost() override { return events_.lost(); }

 private:
  ConntrackFlows(kernel::FlowEvents events, kernel::CtMark mark, Policy policy);

  kernel::FlowEvents events_;
  const kernel::CtMark mark_;
  const Policy policy_;
  DirectionFinder directions_;
  bool complained_ = false;
};

}  // namespace fwd
