#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace rules {

// Decimal digits only, the whole text, at most `most`: no sign, no blank, no leading zero.
template <typename T>
std::optional<T> read_number(std::string_view text, T most) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  T value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || value > most) return std::nullopt;
  return value;
}

}  // namespace rules
