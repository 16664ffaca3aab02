#include "fwd/oneshot.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "fwd/files.h"
#include "fwd/host.h"
#include "fwd/kernel/table.h"
#include "fwd/policy/manager.h"
#include "fwd/policy/marks.h"
#include "fwd/settings.h"
#include "rules/count.h"

namespace fwd {
namespace {

int complain(int status, const std::string& message) {
  fmt::print(stderr, "fwd: {}\n", message);
  return status;
}

// Without a table nobody knows whether anything is filtered: a container's host, say, has its own.
void say_disabled(bool removed, const std::string& folder) {
  if (removed) {
    fmt::print(
        "fwd: disabled: the table is removed, nothing is filtered, and no start brings it back "
        "before `fwctl enable`\n");
  } else {
    fmt::print(
        "fwd: marked as disabled in {}: no start filters before `fwctl enable`. There was no table "
        "to remove in this network namespace; a daemon in another one keeps its table\n",
        folder);
  }
}

// Before the table goes, so that a daemon which misses it finds the reason.
Result<void> mark_disabled(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failed("make " + folder, error.value());
  return policy::EnabledMark(folder).write(false);
}

}  // namespace

int check(const Options& options) {
  const auto settings = read_settings(options.config);
  if (!settings) return complain(kExitUsage, settings.error().message());
  const policy::PolicyStore store(options.policy);
  const auto loaded = policy::load(store, read_services, {});
  if (!loaded) {
    print_diagnostics(loaded.error().diagnostics);
    // The message is the first diagnostic's.
    return loaded.error().diagnostics.empty() ? complain(kExitUsage, loaded.error().message)
                                              : kExitUsage;
  }
  print_diagnostics(loaded->built.warnings);
  const rules::Policy& policy = loaded->built.active->policy;
  fmt::print("{}: {}, {}\n", options.policy, rules::count(policy.rules.size(), "rule"),
             rules::count(policy.sets.size(), "set"));
  return 0;
}

int disable(const Options& options) {
  kernel::TableSettings settings;
  settings.state_directory = options.state_directory();
  const auto firewall = kernel::open_firewall(settings);
  if (!firewall) return complain(kExitFailure, firewall.error().message());
  const auto table = (*firewall)->read();
  if (!table) return complain(kExitFailure, table.error().message());
  std::string folder = options.state_directory();
  if (!options.state && *table && !(*table)->state_directory.empty())
    folder = (*table)->state_directory;

  const auto marked = mark_disabled(folder);
  if (auto removed = (*firewall)->remove(); !removed)
    return complain(kExitFailure, removed.error().message());
  if (!marked) {
    return complain(kExitFailure, "the table is gone, but the next start brings it back: " +
                                      marked.error().message());
  }
  say_disabled(table->has_value(), folder);
  return 0;
}

}  // namespace fwd
