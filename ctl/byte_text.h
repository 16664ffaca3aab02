// Amounts of bytes as they are told to a person.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

namespace ctl {

// "812 B", "1.2 kB", "3.4 GB": powers of 1000.
inline std::string byte_text(std::uint64_t bytes) {
  constexpr double kThousand = 1000;
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / kThousand;
  for (const char* const unit : {"kB", "MB", "GB"}) {
    if (value < kThousand) return fmt::format("{:.1f} {}", value, unit);
    value /= kThousand;
  }
  return fmt::format("{:.1f} TB", value);
}

}  // namespace ctl
