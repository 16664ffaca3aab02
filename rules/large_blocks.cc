#include "rules/large_blocks.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include <sys/mman.h>

namespace rules {

namespace {

std::size_t roomy(std::size_t size) {
  if (size < kRoomyBlock) return std::max<std::size_t>(size, 1);
  const std::size_t step = std::bit_floor(size) / 32;
  return (size + step - 1) / step * step;
}

}  // namespace

void* allocate(std::size_t size) noexcept {
  if (size < kLargeBlock) return std::malloc(roomy(size));
  void* block = nullptr;
  if (posix_memalign(&block, kHugePage, size) != 0) return nullptr;
  // What is behind the last whole one stays on small pages: a huge one would be there for a few bytes. A kernel without huge pages
  // refuses, and no harm is done.
  madvise(block, size - size % kHugePage, MADV_HUGEPAGE);
  return block;
}

}  // namespace rules
