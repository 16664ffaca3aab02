#include "fwd/options.h"

#include <CLI/CLI.hpp>

#include "fwd/settings.h"

namespace fwd {

std::expected<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string queues;
  CLI::App app("The host firewall's daemon; fwctl manages it.", "fwd");
  app.set_version_flag("--version", "fwd " FWD_VERSION);
  app.add_option("--policy", options.policy, "The policy's main file")->capture_default_str();
  app.add_option("--config", options.config, "The settings; they may be absent")
      ->capture_default_str();
  app.add_option("--socket", options.socket, "Where fwctl finds the daemon")->capture_default_str();
  app.add_option("--state", options.state,
                 std::string("The daemon's own folder [") + kDefaultState + "]");
  app.add_option("--audit", options.audit, "The audit log's file")->capture_default_str();
  app.add_option("--queues", queues, "NFQUEUE numbers, FIRST:LAST; one worker each")
      ->check([](const std::string& text) {
        return parse_queues(text) ? std::string()
                                  : "must be FIRST:LAST, at most 64 queues, such as 0:3";
      });
  auto* check =
      app.add_flag("--check", options.check, "Check settings and policy, and change nothing");
  auto* disable =
      app.add_flag("--disable", options.disable,
                   "Take the table out of the kernel and stay disabled; needs no daemon")
          ->excludes(check);
  app.add_flag("--load-kernel-only", options.load_kernel_only,
               "Put the policy into the kernel and end; for the boot, before the network is up")
      ->excludes(check)
      ->excludes(disable);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return std::unexpected(app.exit(stop) == 0 ? 0 : kExitUsage);
  }
  options.queues = parse_queues(queues);
  return options;
}

}  // namespace fwd
