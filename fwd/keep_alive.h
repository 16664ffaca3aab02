// What must go on for as long as the workers are well, and end when one isn't: the kernel's lease, the
// watchdog's feeding, and the table itself, which is put back when somebody else has changed it.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "fwd/kernel/table.h"
#include "fwd/policy/lease.h"
#include "fwd/policy/manager.h"

namespace fwd {

struct KeepAliveActions {
  std::function<void()> feed_watchdog;
  std::function<void()> lease_ran_out;
  std::function<void()> first_lease;                        // of a table
  std::function<void(const std::string& damage)> restored;  // the table
};

class KeepAlive {
 public:
  using Time = std::chrono::steady_clock::time_point;

  KeepAlive(policy::Lease lease, kernel::Firewall& firewall, policy::PolicyManager& policy,
            KeepAliveActions actions)
      : lease_(lease), firewall_(firewall), policy_(policy), actions_(std::move(actions)) {}

  // How often beat() is to be called: lost tables are found within a second.
  static std::chrono::milliseconds interval(std::chrono::milliseconds lease) {
    return std::min(lease / 3, std::chrono::milliseconds(500));
  }

  // False where a worker doesn't answer: then nothing is renewed.
  bool beat(Time now);

 private:
  void look_after_table(Time now);
  void renew(Time now);
  bool ran_out(Time now) const { return renewed_ && now - *renewed_ > lease_.duration(); }

  policy::Lease lease_;
  kernel::Firewall& firewall_;
  policy::PolicyManager& policy_;
  const KeepAliveActions actions_;
  std::optional<Time> renewed_;
};

}  // namespace fwd
