#include "fwd/options.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fwd/settings.h"
#include "rules/suggest.h"

namespace fwd {
namespace {

// CLI11 would first complain of the values that follow it.
std::optional<std::string> find_unknown(const CLI::App& app, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") break;
    if (!word.starts_with('-') || word == "-") continue;
    std::string name = word.substr(0, word.find('='));
    if (app.get_option_no_throw(name) == nullptr) return name;
  }
  return std::nullopt;
}

std::string unknown_option(const CLI::App& app, const std::string& name) {
  rules::Nearest nearest(name);
  for (const CLI::Option* option : app.get_options()) nearest.consider(option->get_name());
  const std::string hint = nearest.hint();
  return fmt::format("unknown option \"{}\": {}", name, hint.empty() ? "see fwd --help" : hint);
}

}  // namespace

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
  if (const auto unknown = find_unknown(app, argc, argv)) {
    fmt::print(stderr, "fwd: {}\n", unknown_option(app, *unknown));
    return std::unexpected(kExitUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return std::unexpected(app.exit(stop) == 0 ? 0 : kExitUsage);
  }
  options.queues = parse_queues(queues);
  return options;
}

}  // namespace fwd
