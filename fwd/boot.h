// The policy in the kernel before the network is up, and before there is a daemon.
#pragma once

#include "fwd/options.h"

namespace fwd {

// --load-kernel-only: the exit status. Says on stderr which policy it has used, and why if that isn't
// the policy file's.
int load_kernel_only(const Options& options);

}  // namespace fwd
