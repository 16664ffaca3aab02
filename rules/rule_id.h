// What a rule is called by: in counters, records and commands.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

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

  std::string_view view() const {
    return {text_.data(), static_cast<std::size_t>(std::ranges::find(text_, '\0') - text_.begin())};
  }
  std::string str() const { return std::string(view()); }

  auto operator<=>(const RuleId&) const = default;

 private:
  std::array<char, kMost> text_{};
};

}  // namespace rules

template <>
struct std::hash<rules::RuleId> {
  std::size_t operator()(const rules::RuleId& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
