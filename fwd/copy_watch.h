// Watches what the kernel's copy of the policy decides, and tells every episode of it: the audit log,
// the daemon's own log, and whoever asks. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "fwd/audit/event.h"
#include "fwd/episodes.h"
#include "fwd/kernel/table.h"

namespace fwd {

class CopyWatch {
 public:
  using Tell = std::function<void(audit::HealthEvent)>;
  using Overruns = std::function<std::uint64_t()>;  // of the queues' sockets, ever

  CopyWatch(kernel::Firewall& firewall, Overruns overruns, Tell tell)
      : firewall_(firewall), overruns_(std::move(overruns)), tell_(std::move(tell)) {}

  // The next look finds that packets may have come to the copy for this reason.
  void restarted();
  void lease_ran_out();

  void look();

  // Since the daemon's start; what the copy decided before it, and nobody told, is included.
  struct State {
    std::optional<std::chrono::system_clock::time_point> since;  // of the current episode
    CopyReason reason = CopyReason::Restart;                     // likewise
    std::uint64_t episodes = 0;
    kernel::CopyCounters packets;
    std::uint64_t revoked = 0;
    std::uint64_t limit_refused = 0;
  };
  State state();  // after a look

 private:
  // Since it was seen first, through tables that are made anew.
  class Growth {
   public:
    void see(std::uint64_t value);
    std::uint64_t total() const { return total_; }

   private:
    std::optional<std::uint64_t> last_;
    std::uint64_t total_ = 0;
  };

  void look_locked();
  void tell_began(const Episode& episode);
  void tell_ended(const Episode& episode);

  kernel::Firewall& firewall_;
  const Overruns overruns_;
  const Tell tell_;

  std::mutex mutex_;  // of everything below
  Episodes episodes_;
  std::chrono::system_clock::time_point since_;
  Growth revoked_;
  Growth limit_refused_;
  bool restarted_ = true;
  bool lease_ran_out_ = false;
};

}  // namespace fwd
