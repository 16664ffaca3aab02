// The entry points are append_address(), append_endpoint() and TimeText::append().
#include "fwd/audit/text.h"

#include <charconv>
#include <chrono>

#include "fwd/audit/json.h"

namespace fwd::audit {
namespace {

constexpr std::size_t kGroups = 8;  // of 16 bits, in an IPv6 address

void append_v4(std::string& out, std::uint64_t address) {
  for (unsigned shift = 32; shift != 0; shift -= 8) {
    if (shift != 32) out.push_back('.');
    json::append_number(out, address >> (shift - 8) & 0xffU);
  }
}

std::uint16_t group(const rules::Address& address, std::size_t at) {
  const std::uint64_t half = at < kGroups / 2 ? address.high : address.low;
  return static_cast<std::uint16_t>(half >> (48 - 16 * (at % (kGroups / 2))));
}

struct Run {
  std::size_t first = 0;
  std::size_t length = 0;
};

// RFC 5952, 4.2: the longest run of zero groups, the first of equals, and never a single one.
Run longest_zero_run(const rules::Address& address) {
  Run best;
  Run current;
  for (std::size_t at = 0; at < kGroups; ++at) {
    current = group(address, at) != 0 ? Run{at + 1, 0} : Run{current.first, current.length + 1};
    if (current.length > best.length) best = current;
  }
  return best.length > 1 ? best : Run{kGroups, 0};
}

void append_groups(std::string& out, const rules::Address& address, std::size_t first,
                   std::size_t end) {
  for (std::size_t at = first; at < end; ++at) {
    if (at != first) out.push_back(':');
    std::array<char, 4> digits;
    const auto last =
        std::to_chars(digits.data(), digits.data() + digits.size(), group(address, at), 16).ptr;
    out.append(digits.data(), last);
  }
}

void append_v6(std::string& out, const rules::Address& address) {
  // RFC 5952, 5: mixed notation where the prefix says that an IPv4 address is embedded.
  if (address.high == 0 && address.low >> 32U == 0xffffU) {
    out.append("::ffff:");
    append_v4(out, address.low);
    return;
  }
  const Run gap = longest_zero_run(address);
  append_groups(out, address, 0, gap.first);
  if (gap.length == 0) return;
  out.append("::");
  append_groups(out, address, gap.first + gap.length, kGroups);
}

// Decimal with leading zeros, filling `width` characters.
void put_digits(char* at, unsigned width, std::uint64_t number) {
  for (unsigned left = width; left != 0; --left, number /= 10) {
    at[left - 1] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

void append_address(std::string& out, const rules::Address& address) {
  if (address.family == rules::Family::V4) {
    append_v4(out, address.low);
  } else {
    append_v6(out, address);
  }
}

void append_endpoint(std::string& out, const rules::Address& address, std::uint16_t port) {
  const bool brackets = address.family == rules::Family::V6;
  if (brackets) out.push_back('[');
  append_address(out, address);
  out.append(brackets ? "]:" : ":");
  json::append_number(out, port);
}

void TimeText::append(std::string& out, std::int64_t realtime_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t second = realtime_ns / kSecond;
  if (second != second_) set_second(second);
  std::array<char, 8> fraction = {'.', '0', '0', '0', '0', '0', '0', 'Z'};
  put_digits(fraction.data() + 1, 6, static_cast<std::uint64_t>(realtime_ns % kSecond) / 1000);
  out.append(text_.data(), text_.size()).append(fraction.data(), fraction.size());
}

void TimeText::set_second(std::int64_t second) {
  using std::chrono::floor;
  const std::chrono::sys_seconds time{std::chrono::seconds(second)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  second_ = second;
  text_ = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0',
           'T', '0', '0', ':', '0', '0', ':', '0', '0'};
  put_digits(&text_[0], 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put_digits(&text_[5], 2, static_cast<unsigned>(date.month()));
  put_digits(&text_[8], 2, static_cast<unsigned>(date.day()));
  put_digits(&text_[11], 2, static_cast<std::uint64_t>(clock.hours().count()));
  put_digits(&text_[14], 2, static_cast<std::uint64_t>(clock.minutes().count()));
  put_digits(&text_[17], 2, static_cast<std::uint64_t>(clock.seconds().count()));
}

}  // namespace fwd::audit
