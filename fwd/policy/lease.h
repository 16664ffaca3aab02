// The lease: for as long as it lasts, the kernel waits for the workers' verdicts. Only workers that
// come round may take it.
#pragma once

#include <algorithm>
#include <chrono>

#include "fwd/engine/engine.h"
#include "fwd/kernel/table.h"

namespace fwd::policy {

class Lease {
 public:
  Lease(const engine::Engine& engine, kernel::Firewall& firewall,
        std::chrono::milliseconds duration)
      : engine_(engine), firewall_(firewall), duration_(duration) {}

  std::chrono::milliseconds duration() const { return duration_; }

  bool healthy() const { return engine_.healthy(std::max(duration_ / 2, 3 * kernel::kTick)); }

  // With healthy workers and a table only.
  Result<void> renew() { return firewall_.renew_lease(duration_); }

 private:
  const engine::Engine& engine_;
  kernel::Firewall& firewall_;
  std::chrono::milliseconds duration_;
};

}  // namespace fwd::policy
