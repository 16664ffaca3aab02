#include "ctl/report/html.h"

#include <fmt/core.h>

#include "ctl/look.h"

namespace ctl::report {

std::string text(std::string_view foreign) {
  std::string result;
  for (const char c : one_line(foreign)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string isolated(std::string_view foreign) {
  return "<bdi>" + text(foreign) + "</bdi>";
}

std::string number(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string short_number(double value) {
  constexpr double kThousand = 1000;
  constexpr double kMany = 100;
  constexpr double kFew = 10;
  const char* unit = "";
  for (const char* next : {" k", " M", " G"}) {
    if (value < kThousand) break;
    value /= kThousand;
    unit = next;
  }
  if (value >= kMany || value == 0) return fmt::format("{:.0f}{}", value, unit);
  std::string digits = fmt::format("{:.{}f}", value, value >= kFew ? 1 : 2);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits == "0" ? "<0.01" : digits + unit;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0 || part == 0) return "0 %";
  constexpr double kHundred = 100;
  const double value = kHundred * static_cast<double>(part) / static_cast<double>(whole);
  if (part < whole && value > 99.9) return "> 99.9 %";
  return value < 0.1 ? "< 0.1 %" : fmt::format("{:.1f} %", value);
}

}  // namespace ctl::report
