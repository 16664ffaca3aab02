// Whether the policy is enforced, or only observed: judged as ever and written down, but nothing is
// stopped.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fwd {

enum class Mode : std::uint8_t { Enforce, Observe };

inline constexpr std::array<std::string_view, 2> kModeNames{"enforce", "observe"};
static_assert(kModeNames.size() == static_cast<std::size_t>(Mode::Observe) + 1);

constexpr std::string_view to_string(Mode mode) {
  return kModeNames[static_cast<std::size_t>(mode)];
}

constexpr std::optional<Mode> parse_mode(std::string_view name) {
  for (std::size_t at = 0; at < kModeNames.size(); ++at) {
    if (kModeNames[at] == name) return static_cast<Mode>(at);
  }
  return std::nullopt;
}

}  // namespace fwd
