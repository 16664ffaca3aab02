#include "fwd/audit/json.h"

#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {

using fwd::audit::json::append_number;
using fwd::audit::json::append_string;
using fwd::audit::json::shortened;

std::string json_of(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

}  // namespace

TEST_CASE("strings are escaped so that they stay one line of valid JSON") {
  using namespace std::string_view_literals;
  const auto test = GENERATE(values<Case>({
      {"", R"("")"},
      {"replication", R"("replication")"},
      {R"(say "hi" \ bye)", R"("say \"hi\" \\ bye")"},
      {"a\nb\rc\td", R"("a\nb\rc\td")"},
      {"\x01\x1b[31m\x7f", R"("\u0001\u001b[31m\u007f")"},
      {"nul\0byte"sv, R"("nul\u0000byte")"},
      {"Grüße ☃ 🔥", "\"Grüße ☃ 🔥\""},
      {"\xc2\x85 next line", R"("\u0085 next line")"},
      {"line\xe2\x80\xa8separator", R"("line\u2028separator")"},
      {"right\xe2\x80\xaeto left", R"("right\u202eto left")"},
  }));
  CHECK(json_of(test.text) == test.expected);
}

TEST_CASE("bytes that aren't UTF-8 become replacement characters") {
  const auto test = GENERATE(values<Case>({
      {"a\xff z", "\"a\uFFFD z\""},
      {"\xc3", "\"\uFFFD\""},                                // cut short
      {"\xc0\xaf", "\"\uFFFD\uFFFD\""},                      // overlong
      {"\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\""},            // a surrogate
      {"\xf4\x90\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\""},  // above U+10FFFF
      {"\xe2\x82\"", "\"\uFFFD\uFFFD\\\"\""},  // the quote isn't eaten by the broken character
  }));
  CHECK(json_of(test.text) == test.expected);
}

TEST_CASE("any bytes give a string that a JSON parser takes and that has no control character") {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 2000; ++round) {
    std::string text(16, '\0');
    for (char& each : text) each = static_cast<char>(byte(random));
    const std::string out = json_of(text);
    REQUIRE(nlohmann::json::accept(out));
    for (const char each : out) REQUIRE(static_cast<unsigned char>(each) >= 0x20);
  }
}

TEST_CASE("numbers are decimal up to the largest") {
  std::string out;
  append_number(out, 0);
  out += ' ';
  append_number(out, UINT64_MAX);
  CHECK(out == "0 18446744073709551615");
}

TEST_CASE("a text is shortened only between characters") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "abc");
  CHECK(shortened("ab\xe2\x98\x83", 4) == "ab");
  CHECK(shortened("ab\xe2\x98\x83", 5) == "ab\xe2\x98\x83");
}
