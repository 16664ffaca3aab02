// What root can do when no daemon answers.
#pragma once

#include <expected>

#include "ctl/api/error.h"

namespace ctl {

// Runs `fwd --disable`, which takes the table out of the kernel and notes that the firewall is off,
// and gives back its exit status. What it prints goes to standard error. NotPermitted for others
// than root.
std::expected<int, api::Error> disable_without_daemon();

}  // namespace ctl
