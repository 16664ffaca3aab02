// Memory for both programs. Large blocks are put on huge pages where the kernel has them
// (Documentation/admin-guide/mm/transhuge.rst): a set of a million members goes through a hundred megabytes on its way from text to the
// kernel, and to map those 4 KB by 4 KB took a quarter of the time for all of it and more. Blocks below that are a little larger than
// asked: what one edit of a policy leaves is a line too short for what the next one needs.
#pragma once

#include <cstddef>

namespace rules {

inline constexpr std::size_t kHugePage = 2 * 1024 * 1024;  // bytes, with small pages of 4 KB
inline constexpr std::size_t kLargeBlock = 2 * kHugePage;  // from here on
inline constexpr std::size_t kRoomyBlock = 32 * 1024;  // from here on up to a thirty-second larger

// Of that many bytes, for std::free(), never null for 0. Null where there is no memory.
void* allocate(std::size_t size) noexcept;

}  // namespace rules
