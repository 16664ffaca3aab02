// A network namespace for the length of a call, with loopback up. Needs root; the namespace goes
// with its thread.
#pragma once

#include <functional>

namespace support {

// False, and says so aloud, where this process may not make namespaces: then nothing was run.
bool in_new_netns(const std::function<void()>& body);

}  // namespace support
