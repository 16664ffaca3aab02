// The daemon: run_daemon() is the way in. Daemon::start() reads as the list of what happens at a
// start, and its members are in that order: what stands below may use what stands above.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fwd/audit/writer.h"
#include "fwd/background_job.h"
#include "fwd/control/context.h"
#include "fwd/control/refusals.h"
#include "fwd/control/server.h"
#include "fwd/copy_watch.h"
#include "fwd/engine/engine.h"
#include "fwd/event_loop.h"
#include "fwd/keep_alive.h"
#include "fwd/kernel/limit_log.h"
#include "fwd/kernel/links.h"
#include "fwd/kernel/table.h"
#include "fwd/metrics/publisher.h"
#include "fwd/options.h"
#include "fwd/policy/manager.h"
#include "fwd/settings.h"
#include "fwd/shed_list.h"
#include "fwd/unique_fd.h"

namespace fwd {

// Until a signal ends it; the exit status. The kernel's table stays.
int run_daemon(const Options& options);

class Daemon {
 public:
  explicit Daemon(Options options) : options_(std::move(options)) {}
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // On an error nothing is left running, and the table in the kernel is what it was, or, where the
  // commit was reached, that of the new policy.
  Result<void> start();
  Result<void> run();

  int exit_status() const { return exit_status_; }  // for a start that failed

 private:
  Result<void> read_settings();
  Result<void> lock_state();
  Result<void> open_socket();
  Result<void> check_capabilities();
  Result<void> load_policy();
  Result<void> open_kernel();
  Result<void> open_audit();
  Result<void> bind_queues();
  Result<void> put_in_force();
  Result<void> watch_flows();
  Result<void> keep_watch();
  Result<void> start_workers();
  Result<void> watch_events();
  Result<void> serve();

  void handle_signal(int signal);
  void reload();
  void beat();
  void shed_sources();
  void tell_restored(const std::string& damage);
  void read_links();
  void read_limit_log();
  void give_back_memory();
  std::vector<std::string> warnings() const;

  const Options options_;
  int exit_status_ = kExitFailure;
  Settings settings_;
  UniqueFd lock_;
  UniqueFd listener_;  // until the server has it
  bool listening_ = false;
  std::optional<policy::Loaded> loaded_;  // until it is in force
  std::unique_ptr<kernel::Firewall> firewall_;
  std::optional<kernel::Links> links_;
  kernel::LinkTable link_names_;
  std::optional<kernel::LimitLog> limit_log_;
  std::unique_ptr<audit::Writer> audit_;
  std::unique_ptr<engine::Engine> engine_;
  std::optional<policy::Lease> lease_;
  std::unique_ptr<policy::PolicyManager> policy_;
  std::unique_ptr<CopyWatch> copy_watch_;
  std::unique_ptr<KeepAlive> keep_alive_;
  std::unique_ptr<BackgroundJob> reload_;
  ShedList shed_list_;
  std::uint64_t changed_version_ = 0;  // of the policy that give_back_memory() has seen last
  std::optional<std::chrono::steady_clock::time_point> give_back_at_;
  std::optional<EventLoop> loop_;
  std::unique_ptr<control::Context> context_;
  std::unique_ptr<metrics::Publisher> metrics_;
  std::unique_ptr<control::Refusals> refusals_;
  std::unique_ptr<control::Server> server_;
};

}  // namespace fwd
