// Points in time and durations as text, in UTC throughout, as the audit log has them.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace ctl {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

Time now();

// RFC 3339 in UTC: "2026-08-20T10:15:30.123456Z", with up to six digits of a second or none.
std::optional<Time> parse_timestamp(std::string_view text);

// "30s", "5m", "24h", "2d", "1w"
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// A duration before `now`, a day ("2026-08-20"), a time of a day ("2026-08-20 10:15", with seconds or without), or a
// timestamp. The error is one line.
std::expected<Time, std::string> parse_moment(std::string_view text, Time now);

std::string date_text(Time time);       // "2026-08-20"
std::string clock_text(Time time);      // "10:15:30.123"
std::string moment_text(Time time);     // "2026-08-20 10:15:30"
std::string timestamp_text(Time time);  // "2026-08-20T10:15:30.123456Z"

// The two largest units: "3 d 4 h", "10 min", "12 s".
std::string duration_text(std::chrono::seconds duration);

}  // namespace ctl
