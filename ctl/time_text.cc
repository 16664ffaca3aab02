#include "ctl/time_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace ctl {
namespace {

// The digits that `text` begins with, `most` of them at most; they are taken from it.
struct Digits {
  std::int64_t value = 0;
  std::size_t count = 0;
};

Digits take_digits(std::string_view& text, std::size_t most) {
  Digits digits;
  while (digits.count < most && !text.empty() && text[0] >= '0' && text[0] <= '9') {
    digits.value = digits.value * 10 + (text[0] - '0');
    ++digits.count;
    text.remove_prefix(1);
  }
  return digits;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

// "2026-08-20"
std::optional<Time> take_day(std::string_view& text) {
  const Digits year = take_digits(text, 4);
  if (year.count != 4 || !take(text, '-')) return std::nullopt;
  const Digits month = take_digits(text, 2);
  if (month.count != 2 || !take(text, '-')) return std::nullopt;
  const Digits day = take_digits(text, 2);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year.value)),
                                         std::chrono::month(static_cast<unsigned>(month.value)),
                                         std::chrono::day(static_cast<unsigned>(day.value))};
  if (day.count != 2 || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// ".123456", or nothing of the kind
std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return std::chrono::microseconds(0);
  Digits digits = take_digits(text, 6);
  if (digits.count == 0) return std::nullopt;
  for (; digits.count < 6; ++digits.count) digits.value *= 10;
  take_digits(text, std::numeric_limits<std::size_t>::max());
  return std::chrono::microseconds(digits.value);
}

// "10:15:30.123", where the seconds may be missing; 60 is a leap second.
std::optional<std::chrono::microseconds> take_clock(std::string_view& text) {
  const Digits hour = take_digits(text, 2);
  if (hour.count != 2 || hour.value > 23 || !take(text, ':')) return std::nullopt;
  const Digits minute = take_digits(text, 2);
  if (minute.count != 2 || minute.value > 59) return std::nullopt;
  const std::chrono::microseconds whole =
      std::chrono::hours(hour.value) + std::chrono::minutes(minute.value);
  if (!take(text, ':')) return whole;
  const Digits second = take_digits(text, 2);
  if (second.count != 2 || second.value > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return whole + std::chrono::seconds(second.value) + *fraction;
}

// `between` stands between day and clock.
std::optional<Time> take_moment(std::string_view& text, char between) {
  const auto day = take_day(text);
  if (!day || !take(text, between)) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  return *day + *clock;
}

std::optional<Time> parse_day(std::string_view text) {
  const auto day = take_day(text);
  return text.empty() ? day : std::nullopt;
}

std::optional<Time> parse_day_and_clock(std::string_view text) {
  const auto moment = take_moment(text, ' ');
  return text.empty() ? moment : std::nullopt;
}

auto in_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

}  // namespace

Time now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::optional<Time> parse_timestamp(std::string_view text) {
  const auto moment = take_moment(text, 'T');
  return text == "Z" || text == "+0000" ? moment : std::nullopt;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  struct Unit {
    char letter;
    std::int64_t seconds;
  };
  constexpr std::array kUnits{Unit{'s', 1}, Unit{'m', 60}, Unit{'h', 3600}, Unit{'d', 86400},
                              Unit{'w', 604800}};
  const Digits digits = take_digits(text, 9);
  if (digits.count == 0 || text.size() != 1) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.letter == text[0]) return std::chrono::seconds(digits.value * unit.seconds);
  }
  return std::nullopt;
}

std::expected<Time, std::string> parse_moment(std::string_view text, Time now) {
  if (const auto before = parse_duration(text)) return now - *before;
  if (const auto moment = parse_timestamp(text)) return *moment;
  if (const auto moment = parse_day_and_clock(text)) return *moment;
  if (const auto day = parse_day(text)) return *day;
  return std::unexpected(
      fmt::format("\"{}\" is no time: write how long ago (30s, 10m, 24h, 7d) or when in UTC "
                  "(2026-08-20, \"2026-08-20 10:15\", 2026-08-20T10:15:30Z)",
                  text));
}

std::string date_text(Time time) {
  return fmt::format("{:%Y-%m-%d}", in_seconds(time));
}

std::string clock_text(Time time) {
  const auto part = std::chrono::duration_cast<std::chrono::milliseconds>(time - in_seconds(time));
  return fmt::format("{:%H:%M:%S}.{:03}", in_seconds(time), part.count());
}

std::string moment_text(Time time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", in_seconds(time));
}

std::string timestamp_text(Time time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", in_seconds(time),
                     (time - in_seconds(time)).count());
}

std::string duration_text(std::chrono::seconds duration) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  constexpr std::array kUnits{Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "min"}, Unit{1, "s"}};
  const auto all = duration.count();
  const auto* unit = std::ranges::find_if(kUnits.begin(), kUnits.end() - 1,
                                          [all](const Unit& each) { return each.seconds <= all; });
  std::string text = fmt::format("{} {}", all / unit->seconds, unit->name);
  const std::int64_t rest = all % unit->seconds;
  if (unit->seconds == 1 || rest < unit[1].seconds) return text;
  return text + fmt::format(" {} {}", rest / unit[1].seconds, unit[1].name);
}

}  // namespace ctl
