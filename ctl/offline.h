// What root can do when no daemon answers.
#pragma once

#include <expected>
#include <string>

#include "ctl/api/error.h"

namespace ctl {

// How a program ended.
struct Ended {
  int status = 0;
  std::string output;  // what it wrote on its standard output
};

// Runs `fwd --disable`, which takes the table out of the kernel and notes that the firewall is off,
// and says what of that was to be done. NotPermitted for others than root.
std::expected<Ended, api::Error> disable_without_daemon();

}  // namespace ctl
