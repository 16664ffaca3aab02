#include "fwd/host_warnings.h"

#include <array>
#include <filesystem>
#include <sstream>

#include <fmt/core.h>

#include "fwd/files.h"
#include "rules/count.h"

namespace fwd {
namespace {

// systemd keeps a link for each unit that it has started.
bool unit_started(const std::string& root, const std::string& unit) {
  std::error_code error;
  const auto status =
      std::filesystem::symlink_status(root + "/run/systemd/units/invocation:" + unit, error);
  return std::filesystem::is_symlink(status);
}

// ufw.service is active even while ufw is not.
bool ufw_enabled(const std::string& root) {
  const auto text = read_file(root + "/etc/ufw/ufw.conf");
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("ENABLED=yes")) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> other_firewalls(const std::string& root) {
  struct Other {
    const char* name;
    bool active;
    const char* remedy;
  };
  const std::array others = {
      Other{"ufw", ufw_enabled(root), "ufw disable"},
      Other{"firewalld", unit_started(root, "firewalld.service"),
            "systemctl disable --now firewalld"},
      Other{"nftables.service", unit_started(root, "nftables.service"),
            "systemctl disable --now nftables"},
  };
  std::vector<std::string> warnings;
  for (const Other& other : others) {
    if (!other.active) continue;
    warnings.push_back(fmt::format("{} is active: it may drop what fwd accepts. `{}` ends that",
                                   other.name, other.remedy));
  }
  return warnings;
}

std::vector<std::string> foreign_table_warnings(const std::vector<kernel::ForeignFilter>& filters) {
  std::vector<std::string> warnings;
  for (const kernel::ForeignFilter& filter : filters) {
    const char* between = filter.input && filter.output ? " and " : "";
    warnings.push_back(
        fmt::format("table {} {} also filters {}{}{}: what fwd accepts may still be dropped there",
                    filter.family, filter.table, filter.input ? "input" : "", between,
                    filter.output ? "output" : ""));
  }
  return warnings;
}

std::vector<std::string> conntrack_warnings(const kernel::ConntrackFill& fill) {
  if (fill.limit == 0 || fill.entries * 10 < fill.limit * 9) return {};
  return {
      fmt::format("the conntrack table is nearly full ({} of {}): the kernel drops new connections "
                  "before any rule. "
                  "Raise net.netfilter.nf_conntrack_max",
                  fill.entries, fill.limit)};
}

std::vector<std::string> audit_warnings(const audit::LogState& log) {
  std::vector<std::string> warnings;
  if (!log.trouble.empty()) {
    warnings.push_back(
        fmt::format("the audit log can't be written ({}): {} so far", log.trouble,
                    rules::count(log.counters.waiting, "decision waits", "decisions wait")));
  }
  if (log.counters.lost != 0) {
    warnings.push_back(fmt::format(
        "{} lost since the start; records of the dataset fwd.audit_gap say when and why",
        rules::count(log.counters.lost, "audit record was", "audit records were")));
  }
  return warnings;
}

std::vector<std::string> rotation_warnings(const std::string& root) {
  constexpr const char* kLogrotate = "/etc/logrotate.d/fwd";
  std::error_code error;
  if (!std::filesystem::exists(root + kLogrotate, error)) return {};
  return {
      fmt::format("the audit log is rotated by fwd and by logrotate, and each renames the other's "
                  "files: remove {}, or set rotate_size = 0",
                  kLogrotate)};
}

std::vector<std::string> worker_warnings(const std::vector<engine::QueueTotals>& queues,
                                         bool healthy) {
  std::vector<std::string> warnings;
  for (const engine::QueueTotals& queue : queues) {
    if (queue.failure == 0) continue;
    warnings.push_back(fmt::format("the worker of queue {} has ended: {}", queue.queue,
                                   SystemError{"receive", queue.failure}.message()));
  }
  if (!healthy && warnings.empty())
    warnings.push_back("a worker doesn't answer; the kernel's copy of the policy decides");
  return warnings;
}

}  // namespace fwd
