// What the handlers work with. Everything in it outlives the server.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "fwd/audit/drain.h"
#include "fwd/control/router.h"
#include "fwd/copy_watch.h"
#include "fwd/engine/engine.h"
#include "fwd/kernel/table.h"
#include "fwd/policy/manager.h"

namespace fwd::control {

struct Context {
  policy::PolicyManager& policy;
  const engine::Engine& engine;
  kernel::Firewall& firewall;
  std::function<audit::LogState()> audit_state;
  std::function<CopyWatch::State()> kernel_copy;
  std::function<bool()> healthy;  // whether the workers come round
  std::function<std::vector<std::string>()>
      warnings;  // of the host: what to know beside the policy
  std::function<void(audit::AdminEvent)> record = [](const audit::AdminEvent&) {};
  std::string audit_file;
  kernel::QueueRange queues;
  std::uint32_t queue_length = 0;  // packets
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point since = std::chrono::system_clock::now();
};

// The whole API; the context must outlive the routes.
std::vector<Route> routes(const Context& context);

}  // namespace fwd::control
