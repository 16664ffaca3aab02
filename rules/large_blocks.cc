#include "rules/large_blocks.h"

#include <algorithm>
#include <cstdlib>

#include <sys/mman.h>

namespace rules {

void* allocate(std::size_t size) noexcept {
  if (size < kLargeBlock) return std::malloc(std::max<std::size_t>(size, 1));
  void* block = nullptr;
  if (posix_memalign(&block, kHugePage, size) != 0) return nullptr;
  // What is behind the last whole one stays on small pages: a huge one would be there for a few bytes. A kernel without huge pages
  // refuses, and no harm is done.
  madvise(block, size - size % kHugePage, MADV_HUGEPAGE);
  return block;
}

}  // namespace rules
