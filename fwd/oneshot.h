// What fwd does without becoming a daemon. Both print what there is to say and return the exit
// status.
#pragma once

#include "fwd/options.h"

namespace fwd {

// --check: settings and policy, on stderr what is wrong with them.
int check(const Options& options);

// --disable: the table goes and stays away over reboots. Works beside a daemon that hangs.
int disable(const Options& options);

}  // namespace fwd
