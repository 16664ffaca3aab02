// The whole program but its main().
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "ctl/commands.h"

namespace ctl {

// Where what the command line asks for is done. `context` has everything but the words and the
// options.
struct Parts {
  Look look;
  std::function<Exchange(const std::string& socket)> connect;
  DisableWithoutDaemon disable_without_daemon;
  Print print = {};
};

// Never fails: an error is output too, for standard error, or with --json for standard output.
Output run(const std::vector<std::string>& arguments, const std::string& default_socket,
           const Parts& parts);

}  // namespace ctl
