// How text looks on a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ctl {

enum class Style : std::uint8_t { Plain, Bold, Dim, Good, Bad, Warning };

struct Look {
  bool colour = false;

  // `text` as it is, between the terminal's codes where there is colour.
  std::string paint(Style style, std::string_view text) const;
};

// Colour only for a person: on a terminal that isn't dumb, and not where NO_COLOR (no-color.org) is
// set.
Look look_of(int fd);

// Green for allow, red for deny and reject, yellow for limit.
Style style_of_action(std::string_view action);

// Foreign text for one line: no control characters, tabs as blanks.
std::string one_line(std::string_view text);

}  // namespace ctl
