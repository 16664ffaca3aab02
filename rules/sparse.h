// std::optional in the room of a pointer, for what is mostly absent.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace rules {

template <typename T>
class Sparse {
 public:
  Sparse() = default;
  template <typename U>
  requires std::constructible_from<T, U> &&
      (!std::same_as<std::remove_cvref_t<U>, Sparse>)Sparse(U&& value)
      : value_(std::make_unique<T>(std::forward<U>(value))) {}
  Sparse(const Sparse& other)
      : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Sparse(Sparse&&) noexcept = default;
  Sparse& operator=(Sparse other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Sparse() = default;

  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  template <typename U>
  T value_or(U&& otherwise) const {
    return value_ ? *value_ : static_cast<T>(std::forward<U>(otherwise));
  }

  template <std::same_as<Sparse> Other>
  friend bool operator==(const Sparse& one, const Other& other) {
    return one && other ? *one == *other : !one && !other;
  }
  friend bool operator==(const Sparse& one, const T& value) { return one && *one == value; }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace rules
