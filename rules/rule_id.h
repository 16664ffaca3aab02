// What a rule is called by: in counters, records and commands.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace rules {

// 16 hex digits: the start of the SHA-256 of its canonical text. Of a built-in rule the name, "ping".
class RuleId {
 public:
  static constexpr std::size_t kMost = 20;  // characters; of more the first ones count

  RuleId() = default;
  template <std::convertible_to<std::string_view> Text>
  RuleId(const Text& text) {
    std::ranges::copy(std::string_view(text).substr(0, kMost), text_.begin());
  }

  std::string_view view() const { return {text_.data(), strnlen(text_.data(), kMost)}; }
  std::string str() const { return std::string(view()); }
  // What the 16 digits say; nothing for a name.
  std::optional<std::uint64_t> number() const {
    std::uint64_t number = 0;
    const char* end = text_.data() + kDigits;
    const auto read = std::from_chars(text_.data(), end, number, 16);
    if (read.ec != std::errc() || read.ptr != end || *end != '\0') return std::nullopt;
    return number;
  }

  auto operator<=>(const RuleId&) const = default;

 private:
  static constexpr std::size_t kDigits = 16;

  std::array<char, kMost> text_{};
};

}  // namespace rules

template <>
struct std::hash<rules::RuleId> {
  std::size_t operator()(const rules::RuleId& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
