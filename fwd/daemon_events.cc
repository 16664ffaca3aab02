// What the daemon does while it runs: signals, the lease, interfaces that come and go, reports of
// the meters.
#include <csignal>
#include <ctime>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "fwd/daemon.h"
#include "fwd/host.h"
#include "fwd/host_warnings.h"
#include "fwd/limit_records.h"

namespace fwd {
namespace {

std::int64_t realtime_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

void Daemon::handle_signal(int signal) {
  if (signal == SIGHUP) return reload();
  spdlog::info("stopping; the kernel goes on with its copy of the policy");
  loop_->stop();
}

void Daemon::reload() {
  sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()).c_str());
  if (auto reopened = audit_->reopen(); !reopened)
    spdlog::error("audit: {}", reopened.error().message());
  if (const auto applied = policy_->reload()) {
    const engine::ActivePolicy& active = *applied->state->active;
    spdlog::info("reloaded the policy: {} rules, generation {}", active.policy.rules.size(),
                 active.generation);
  } else {
    print_diagnostics(applied.error().diagnostics);
    spdlog::error("the policy in force stays: {}", applied.error().message);
  }
  sd_notify(0, "READY=1");
}

// False where the workers don't deserve one.
bool Daemon::take_lease() {
  if (!lease_->healthy()) return false;
  if (!policy_->enabled()) return true;
  auto renewed = lease_->renew();
  if (!renewed && renewed.error().code == ENOENT) renewed = policy_->restore();
  if (!renewed) spdlog::error("{}", renewed.error().message());
  return true;
}

void Daemon::keep_alive() {
  const bool well = take_lease();
  if (well) sd_notify(0, "WATCHDOG=1");
  if (well == told_healthy_) return;
  told_healthy_ = well;
  if (well) {
    spdlog::info("the workers answer again");
    audit_->event({audit::HealthType::Info, "recovery", "the workers answer again", std::nullopt});
  } else {
    spdlog::error("a worker doesn't answer; the kernel's copy of the policy decides");
    audit_->event({audit::HealthType::Info, "fallback", "a worker doesn't answer", std::nullopt});
  }
}

std::vector<std::string> Daemon::warnings() const {
  std::vector<std::string> all = other_firewalls();
  const auto add = [&](std::vector<std::string> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  if (const auto fill = kernel::conntrack_fill()) add(conntrack_warnings(*fill));
  add(audit_warnings(audit_->counters()));
  add(worker_warnings(engine_->queue_totals(), lease_->healthy()));
  return all;
}

void Daemon::read_links() {
  links_->drain();
  auto names = links_->names();
  if (!names) return spdlog::error("{}", names.error().message());
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
  if (!drained) spdlog::error("{}", drained.error().message());
}

}  // namespace fwd
