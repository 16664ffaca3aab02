// The sweep of live connections after a change that can cut none of them: nobody waits for what it finds.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "fwd/background_job.h"
#include "fwd/engine/active_policy.h"

namespace fwd::policy {

class LaterSweep {
 public:
  using Active = std::shared_ptr<const engine::ActivePolicy>;

  // `sweep` runs on a thread of its own.
  explicit LaterSweep(std::function<void(const Active&)> sweep);
  ~LaterSweep();  // a sweep that has begun ends first; one that hasn't never begins

  void want(Active active);

  // Before another policy comes into force: from now on no connection is marked with an older one's generation.
  void end();

 private:
  void run();

  const std::function<void(const Active&)> sweep_;
  std::mutex sweeping_;    // held as long as a sweep takes
  std::mutex next_mutex_;  // of next_
  Active next_;
  std::optional<BackgroundJob> job_;
};

}  // namespace fwd::policy
