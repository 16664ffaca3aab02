#include "ctl/time_text.h"

#include <string>

#include <catch2/catch.hpp>

using namespace ctl;

namespace {

const Time kNow = *parse_timestamp("2026-08-20T10:15:30.123456Z");

std::string moment(std::string_view text) {
  const auto parsed = parse_moment(text, kNow);
  return parsed ? timestamp_text(*parsed) : parsed.error();
}

}  // namespace

TEST_CASE("a timestamp is read and written to the microsecond") {
  for (const char* text : {"2026-08-20T10:15:30.123456Z", "1970-01-01T00:00:00.000000Z",
                           "2024-02-29T23:59:59.000001Z"}) {
    const auto time = parse_timestamp(text);
    REQUIRE(time);
    CHECK(timestamp_text(*time) == text);
  }
  CHECK(timestamp_text(*parse_timestamp("2026-08-20T10:15:30Z")) == "2026-08-20T10:15:30.000000Z");
  CHECK(timestamp_text(*parse_timestamp("2026-08-20T10:15:30.5Z")) ==
        "2026-08-20T10:15:30.500000Z");
}

TEST_CASE("what is no timestamp is none") {
  for (const char* text : {"", "2026-08-20", "2026-08-20T10:15:30", "2026-02-30T10:15:30Z",
                           "2026-08-20T24:00:00Z", "2026-08-20T10:60:00Z", "2026-08-20T10:15:30.Z",
                           "2026-08-20T10:15:30Zx", "26-08-20T10:15:30Z"}) {
    INFO(text);
    CHECK(!parse_timestamp(text));
  }
}

TEST_CASE("a moment is told by how long ago it was, or by when") {
  CHECK(moment("30s") == "2026-08-20T10:15:00.123456Z");
  CHECK(moment("10m") == "2026-08-20T10:05:30.123456Z");
  CHECK(moment("24h") == "2026-08-19T10:15:30.123456Z");
  CHECK(moment("7d") == "2026-08-13T10:15:30.123456Z");
  CHECK(moment("1w") == moment("7d"));
  CHECK(moment("2026-08-20") == "2026-08-20T00:00:00.000000Z");
  CHECK(moment("2026-08-20 10:15") == "2026-08-20T10:15:00.000000Z");
  CHECK(moment("2026-08-20 10:15:07") == "2026-08-20T10:15:07.000000Z");
  CHECK(moment("2026-08-20T10:15:07Z") == "2026-08-20T10:15:07.000000Z");
}

TEST_CASE("what is no moment is an error that says how to write one") {
  for (const char* text : {"", "h", "10", "10x", "-5m", "1h30m", "2026-13-01", "2026-08-20 25:00",
                           "yesterday", "9999999999s"}) {
    INFO(text);
    CHECK(moment(text) ==
          "\"" + std::string(text) +
              "\" is no time: write how long ago (30s, 10m, 24h, 7d) or when in UTC (2026-08-20, "
              "\"2026-08-20 10:15\", 2026-08-20T10:15:30Z)");
  }
}

TEST_CASE("durations are told by their two largest units") {
  using std::chrono::seconds;
  CHECK(duration_text(seconds(0)) == "0 s");
  CHECK(duration_text(seconds(59)) == "59 s");
  CHECK(duration_text(seconds(60)) == "1 min");
  CHECK(duration_text(seconds(61)) == "1 min 1 s");
  CHECK(duration_text(seconds(86'460)) == "1 d");
  CHECK(duration_text(seconds(3661)) == "1 h 1 min");
  CHECK(duration_text(seconds(273'600)) == "3 d 4 h");
}
