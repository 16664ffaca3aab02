#include "tests/support/allocations.h"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t count = 0;

constexpr std::align_val_t kDefault{__STDCPP_DEFAULT_NEW_ALIGNMENT__};

void* try_allocate(std::size_t size, std::align_val_t alignment) noexcept {
  ++count;
  // aligned_alloc wants a multiple of the alignment, and every object its own address.
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, size == 0 ? unit : (size + unit - 1) / unit * unit);
}

void* allocate(std::size_t size, std::align_val_t alignment) {
  void* memory = try_allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::uint64_t support::allocations() noexcept {
  return count;
}

// All forms: a sanitizer's own don't call each other as the library's do, and its new isn't for our delete.
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t size) {
  return allocate(size, kDefault);
}
void* operator new[](size_t size) {
  return allocate(size, kDefault);
}
void* operator new(size_t size, align_val_t alignment) {
  return allocate(size, alignment);
}
void* operator new[](size_t size, align_val_t alignment) {
  return allocate(size, alignment);
}
void* operator new(size_t size, const nothrow_t&) noexcept {
  return try_allocate(size, kDefault);
}
void* operator new[](size_t size, const nothrow_t&) noexcept {
  return try_allocate(size, kDefault);
}
void* operator new(size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return try_allocate(size, alignment);
}
void* operator new[](size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return try_allocate(size, alignment);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const nothrow_t&) noexcept {
  std::free(memory);
}
