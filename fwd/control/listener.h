// The control socket's file: one daemon serves it, and what a dead one left is replaced.
#pragma once

#include <string>

#include "fwd/system_error.h"
#include "fwd/unique_fd.h"

namespace fwd::control {

// Listening, with mode 0666: every request is authorised by the user who connected (access.h).
// Fails where a living daemon answers on that path, or something else than a socket is there.
Result<UniqueFd> listen_on(const std::string& path);

}  // namespace fwd::control
