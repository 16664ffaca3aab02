// Addresses and times as text, appended to a buffer without allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rules/address.h"

namespace fwd::audit {

// The same text as rules::to_string (RFC 5952).
void append_address(std::string& out, const rules::Address& address);

// "192.0.2.1:80", "[2001:db8::1]:80"
void append_endpoint(std::string& out, const rules::Address& address, std::uint16_t port);

// RFC 3339 in UTC with microseconds. Keeps the text of the last second it was asked for.
class TimeText {
 public:
  // ns since 1970-01-01T00:00:00Z, of the years 1970 to 9999.
  void append(std::string& out, std::int64_t realtime_ns);

 private:
  static constexpr std::size_t kSecondLength = 19;  // "2026-08-20T10:15:30"

  void set_second(std::int64_t second);

  std::int64_t second_ = -1;
  std::array<char, kSecondLength> text_{};
};

}  // namespace fwd::audit
