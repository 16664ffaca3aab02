// What the daemon does while it runs: signals, the lease, interfaces that come and go, reports of
// the meters.
#include <csignal>
#include <ctime>
#include <iterator>

#include <fmt/core.h>
#include <malloc.h>

#include "fwd/clock.h"
#include "fwd/control/changes.h"
#include "fwd/daemon.h"
#include "fwd/host.h"
#include "fwd/host_warnings.h"
#include "fwd/limit_records.h"
#include "fwd/log.h"
#include "fwd/notify.h"
#include "rules/count.h"

namespace fwd {
namespace {

std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

void Daemon::handle_signal(int signal) {
  if (signal == SIGHUP) return reload_->want();
  log::info("stopping; the kernel goes on with its copy of the policy");
  loop_->stop();
}

void Daemon::reload() {
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
  if (auto reopened = audit_->reopen(); !reopened)
    log::error("audit: {}", reopened.error().message());
  if (const auto applied = control::reload_policy(*context_)) {
    const engine::ActivePolicy& active = *applied->state->active;
    log::info("reloaded the policy: {}, generation {}",
              rules::count(active.policy.rules.size(), "rule"), active.generation);
  } else {
    print_diagnostics(applied.error().diagnostics);
    log::error("the policy in force stays: {}", applied.error().message);
  }
  notify("READY=1");
}

// In this order: the look knows why the copy had to decide.
void Daemon::beat() {
  keep_alive_->beat(std::chrono::steady_clock::now());
  copy_watch_->look();
}

void Daemon::tell_restored(const std::string& damage) {
  audit_->event(
      audit::HealthEvent{audit::HealthType::Info, "restore",
                         "somebody else changed the firewall's table, it was put back: " + damage});
}

void Daemon::shed_sources() {
  if (!policy_->enabled()) return;
  const auto sources =
      shed_list_.add(engine_->take_heavy_sources(), std::chrono::steady_clock::now());
  if (sources.empty()) return;
  if (auto shed = firewall_->shed(sources, ShedList::kTime); !shed)
    return log::error("{}", shed.error().message());
  for (const rules::Address& source : sources) {
    std::string message = fmt::format(
        "{} sends more than {} packets a second to a queue; for {} s the kernel decides them "
        "without "
        "the daemon",
        to_string(source), settings_.shed_above, ShedList::kTime.count());
    log::warning("{}", message);
    audit_->event(audit::HealthEvent{audit::HealthType::Info, "shed", std::move(message)});
  }
}

std::vector<std::string> Daemon::warnings() const {
  std::vector<std::string> all = other_firewalls();
  const auto add = [&](std::vector<std::string> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  if (const auto filters = kernel::foreign_filters()) {
    add(foreign_table_warnings(*filters));
  } else {
    log::warning("status: {}", filters.error().message());
  }
  if (const auto fill = kernel::conntrack_fill()) add(conntrack_warnings(*fill));
  add(audit_warnings(audit_->state()));
  if (settings_.audit.rotate_size != 0) add(rotation_warnings());
  add(metrics_->warnings());
  add(worker_warnings(engine_->queue_totals(), lease_->healthy()));
  return all;
}

void Daemon::read_links() {
  links_->drain();
  auto names = links_->names();
  if (!names) return log::error("{}", names.error().message());
  std::vector<engine::InterfaceName> interfaces;
  for (const auto& [index, name] : *names) interfaces.push_back({index, name});
  engine_->publish_interfaces(std::move(interfaces));
  link_names_.replace(std::move(*names));
}

void Daemon::read_limit_log() {
  const policy::State state = policy_->state();
  const auto drained = limit_log_->drain([&](const kernel::LimitEvent& event) {
    const auto record = limit_record(event, *state->active, realtime_ns());
    if (record) audit_->push(audit_->control(), *record);
  });
  if (!drained) log::error("{}", drained.error().message());
}

// Making a policy takes more than keeping it. What the allocator keeps of that makes the next change fast, since a page that is
// mapped anew costs more than what is done with it: so not between changes that come one after the other.
void Daemon::give_back_memory() {
  constexpr std::chrono::seconds kQuiet{10};
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t version = policy_->state()->active->version;
  if (version != changed_version_) {
    changed_version_ = version;
    give_back_at_ = now + kQuiet;
  } else if (give_back_at_ && now >= *give_back_at_) {
    malloc_trim(0);
    give_back_at_.reset();
  }
}

}  // namespace fwd
