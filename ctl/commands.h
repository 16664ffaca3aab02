// Every command of fwctl is one row of one table: kCommands in commands.cc. run_command() finds it
// and runs it.
#pragma once

#include <array>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/error.h"
#include "ctl/arguments.h"
#include "ctl/client.h"
#include "ctl/look.h"
#include "ctl/offline.h"

namespace ctl {

// The way out for root when no daemon answers.
using DisableWithoutDaemon = std::function<std::expected<Ended, api::Error>()>;

// Writes to standard output at once. False where that can't be written to.
using Print = std::function<bool(std::string_view)>;

// What a command may use. `words` starts with the command's own name.
struct Context {
  std::vector<std::string> words;
  Options options;
  bool json = false;
  std::string state;  // the daemon's directory
  Look look;
  Exchange exchange;
  DisableWithoutDaemon disable_without_daemon;
  Print print;
};

struct Output {
  std::string text;   // for standard output
  std::string notes;  // for standard error: warnings
  int status = 0;
};

inline constexpr const char* kVersionText = "fwctl " FWD_VERSION "\n";

using Result = std::expected<Output, api::Error>;

struct Command {
  std::string_view name;
  std::string_view synopsis;
  std::string_view help;  // one line
  Result (*run)(const Context&);
  std::array<std::string_view, 6> options{};  // of its own
};

std::span<const Command> commands();

Result run_command(const Context& context);

std::string help_text();                                                  // all commands
std::expected<std::string, api::Error> help_text(std::string_view name);  // one

}  // namespace ctl
