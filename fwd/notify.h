// What the daemon tells the service manager that started it, in the words of sd_notify(3).
#pragma once

#include <string_view>

namespace fwd {

// "READY=1". Nothing happens where no service manager waits for it.
void notify(std::string_view state) noexcept;

}  // namespace fwd
