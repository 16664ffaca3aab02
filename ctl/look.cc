#include "ctl/look.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <unistd.h>

#include "rules/diagnostic.h"

namespace ctl {
namespace {

// ECMA-48 SGR, in the order of Style.
constexpr std::array<std::string_view, 6> kCodes{"",         "\033[1m",  "\033[2m",
                                                 "\033[32m", "\033[31m", "\033[33m"};
static_assert(kCodes.size() == static_cast<std::size_t>(Style::Warning) + 1);

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::string Look::paint(Style style, std::string_view text) const {
  if (!colour || style == Style::Plain) return std::string(text);
  return std::string(kCodes[static_cast<std::size_t>(style)]) + std::string(text) + "\033[0m";
}

Look look_of(int fd) {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return {::isatty(fd) == 1 && !is_set("NO_COLOR") && !dumb};
}

Style style_of_action(std::string_view action) {
  if (action == "allow") return Style::Good;
  if (action == "limit") return Style::Warning;
  return action == "deny" || action == "reject" ? Style::Bad : Style::Plain;
}

std::string one_line(std::string_view text) {
  std::string result = rules::printable(text);
  std::replace(result.begin(), result.end(), '\t', ' ');
  return result;
}

}  // namespace ctl
