// Few small items: one is kept in place, more in an array of exactly their size. A policy has a hundred thousand rules, and
// nearly all of their lists have one item or none.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

namespace rules {

template <typename T>
class ShortList {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(T*));

 public:
  using value_type = T;

  ShortList() = default;
  ShortList(std::span<const T> items) : size_(static_cast<std::uint32_t>(items.size())) {
    if (size_ > 1) items_.many = new T[size_];
    std::ranges::copy(items, begin_of(items_));
  }
  template <typename Range>
  requires std::convertible_to<const Range&, std::span<const T>> &&
      (!std::same_as<Range, ShortList>)ShortList(const Range& items)
      : ShortList(std::span<const T>(items)) {}
  ShortList(std::initializer_list<T> items) : ShortList(std::span(items.begin(), items.size())) {}
  ShortList(const ShortList& other) : ShortList(std::span<const T>(other)) {}
  ShortList(ShortList&& other) noexcept : ShortList() { swap(other); }
  ShortList& operator=(ShortList other) noexcept {
    swap(other);
    return *this;
  }
  ~ShortList() {
    if (size_ > 1) delete[] items_.many;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return begin_of(items_); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  const T& front() const { return *data(); }
  const T& back() const { return data()[size_ - 1]; }
  const T& operator[](std::size_t at) const { return data()[at]; }

  friend bool operator==(const ShortList& one, const ShortList& other) {
    return std::ranges::equal(one, other);
  }

 private:
  union Items {
    T one;
    T* many;
  };

  auto* begin_of(auto& items) const { return size_ > 1 ? items.many : &items.one; }
  void swap(ShortList& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(items_, other.items_);
  }

  std::uint32_t size_ = 0;
  Items items_{.one = {}};  // many where there is more than one
};

}  // namespace rules
