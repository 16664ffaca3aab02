// The command line of fwd.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "fwd/kernel/table.h"

namespace fwd {

inline constexpr const char* kDefaultState = "/var/lib/fwd";

// Exit statuses of fwd.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage =
    2;  // also: settings or policy that can't be used. A restart mends none of these.

struct Options {
  std::string policy = "/etc/fwd/policy.fw";
  std::string config = "/etc/fwd/fwd.toml";
  std::string socket = "/run/fwd/fwd.sock";
  std::optional<std::string> state;  // kDefaultState; --disable asks the table first
  std::string audit = "/var/log/fwd/audit.json";
  std::optional<kernel::QueueRange> queues;  // instead of the settings'
  bool check = false;
  bool disable = false;
  bool load_kernel_only = false;

  std::string state_directory() const { return state.value_or(kDefaultState); }
};

// The exit status where there is nothing to run: after --help, --version, or a message about the
// usage.
std::expected<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace fwd
