// The programs' operator new: large blocks are put on huge pages where the kernel has them
// (Documentation/admin-guide/mm/transhuge.rst). A set of a million members goes through a hundred megabytes on its way from text to
// the kernel, and to map those 4 KB by 4 KB can take longer than everything else.
#include <cstdlib>
#include <new>

#include <sys/mman.h>

// Sanitizers bring their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::size_t kHugePage = 2 * 1024 * 1024;  // bytes, with pages of 4 KB
constexpr std::size_t kLarge = 2 * kHugePage;

// Null where there is no memory.
void* large_block(std::size_t size) noexcept {
  void* const block = std::aligned_alloc(kHugePage, size);
  // The last part stays on small pages: it would be rounded up. A kernel without huge pages refuses, and no harm is done.
  if (block != nullptr) madvise(block, size - size % kHugePage, MADV_HUGEPAGE);
  return block;
}

}  // namespace

void* operator new(std::size_t size) {
  // malloc(0) may be null.
  void* const block = size < kLarge ? std::malloc(size == 0 ? 1 : size) : large_block(size);
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
