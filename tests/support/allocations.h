// How often this thread has allocated with operator new, in any of its forms. Linking this replaces
// them.
#pragma once

#include <cstdint>

namespace support {

std::uint64_t allocations() noexcept;

}  // namespace support
