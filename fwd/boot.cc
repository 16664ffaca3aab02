// Entry point: load_kernel_only(). It prefers an old policy to none, and default settings to none: a
// host must not come up open because of a typing error.
#include "fwd/boot.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "fwd/host.h"
#include "fwd/kernel/table.h"
#include "fwd/log.h"
#include "fwd/policy/last_good.h"
#include "fwd/policy/live_connections.h"
#include "fwd/policy/manager.h"
#include "fwd/policy/marks.h"
#include "fwd/settings.h"
#include "fwd/state_lock.h"
#include "rules/count.h"

namespace fwd {
namespace {

Settings usable_settings(const Options& options) {
  auto settings = read_settings(options.config);
  if (!settings) {
    log::error("{}; using the settings' defaults", settings.error().message());
    settings = default_settings();
  }
  if (options.queues) settings->queues = *options.queues;
  return *std::move(settings);
}

void complain(const policy::Error& error) {
  print_diagnostics(error.diagnostics);
  log::error("{}", error.message);
}

Result<policy::Active> last_good_policy(const policy::LastGood& last_good,
                                        const policy::Stamp& stamp) {
  const auto sources = last_good.read();
  if (!sources) return std::unexpected(sources.error());
  if (!*sources) return failed("no policy has been in force before that could be used", 0);
  const auto services = read_services();
  if (!services) return std::unexpected(services.error());
  const auto built = policy::build(**sources, rules::parse_services(*services), stamp);
  if (!built) {
    complain(built.error());
    return failed("the policy that was in force last can't be used either", 0);
  }
  log::warning("using the policy that was in force last, of {}", last_good.path());
  return built->active;
}

Result<policy::Active> good_policy(const Options& options, const policy::Stamp& stamp) {
  const auto loaded = policy::load(policy::PolicyStore(options.policy), read_services, stamp);
  if (loaded) return loaded->built.active;
  complain(loaded.error());
  return last_good_policy(policy::LastGood(options.state_directory()), stamp);
}

bool is_of(const kernel::TableState& table, const engine::ActivePolicy& active) {
  return table.policy_hash == active.policy.hash && table.mode == active.mode;
}

// Whoever writes the table has the lock: the table of a running daemon is its own.
Result<void> install(const Options& options, kernel::Firewall& firewall, kernel::CtMark ct_mark,
                     const engine::ActivePolicy& active) {
  const auto lock = lock_state(options.state_directory());
  if (!lock) return std::unexpected(lock.error());
  const policy::Connections connections = policy::host_connections(ct_mark);
  policy::adopt_live(connections, active);
  if (auto done = firewall.commit(active.policy, active.generation, active.mode); !done)
    return done;
  policy::adopt_live(connections, active);  // those that came in between
  policy::sweep_live(connections, active, [](const audit::VerdictRecord&) {});
  return {};
}

Result<void> load(const Options& options) {
  const auto enabled = policy::EnabledMark(options.state_directory()).read();
  if (!enabled) return std::unexpected(enabled.error());
  if (!*enabled) {
    log::info("disabled: the kernel gets no policy before `fwctl enable`");
    return {};
  }
  const auto mode = policy::ModeMark(options.state_directory()).read();
  if (!mode) return std::unexpected(mode.error());

  const Settings settings = usable_settings(options);
  const auto firewall = kernel::open_firewall(table_settings(settings, options.state_directory()));
  if (!firewall) return std::unexpected(firewall.error());
  const auto table = (*firewall)->read();
  if (!table) return std::unexpected(table.error());

  const kernel::Generation generation = *table ? kernel::next((*table)->generation) : 1;
  const auto active = good_policy(options, {.generation = generation, .mode = *mode});
  if (!active) return std::unexpected(active.error());
  if (*table && is_of(**table, **active)) {
    log::info("the kernel has this policy already");
    return {};
  }
  if (auto done = install(options, **firewall, settings.ct_mark, **active); !done) return done;
  log::info("the kernel has the policy: {}, generation {}",
            rules::count((*active)->policy.rules.size(), "rule"), generation);
  return {};
}

}  // namespace

int load_kernel_only(const Options& options) {
  set_up_log(LogLevel::Info);
  const auto done = load(options);
  if (done) return 0;
  log::error("the policy was not loaded: {}", done.error().message());
  return kExitFailure;
}

}  // namespace fwd
