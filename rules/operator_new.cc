// The programs' own operator new, by rules/large_blocks.h. Sanitizers bring theirs, and so does a test that counts allocations.
#include <cstdlib>
#include <new>

#include "rules/large_blocks.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  void* const block = rules::allocate(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);
}

#endif
