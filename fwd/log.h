// The daemon's own log: to stderr, and from there to the journal where systemd started us.
#pragma once

#include "fwd/settings.h"

namespace fwd {

void set_up_log(LogLevel level);

}  // namespace fwd
