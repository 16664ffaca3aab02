// One daemon for each state directory; it alone writes the kernel's table.
#pragma once

#include <string>

#include "fwd/system_error.h"
#include "fwd/unique_fd.h"

namespace fwd {

// Makes the directory where it is missing. The lock lasts as long as the descriptor lives.
Result<UniqueFd> lock_state(const std::string& directory);

}  // namespace fwd
