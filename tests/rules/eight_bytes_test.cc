#include "rules/eight_bytes.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

namespace eight_bytes = rules::eight_bytes;

namespace {

// One such byte among seven that are next to it in value, before it and behind it: what is borrowed from one must not show in another.
template <typename Each>
void for_each_word(Each each) {
  for (int byte = 0; byte < 256; ++byte) {
    for (int others = byte - 1; others <= byte + 1; ++others) {
      for (std::size_t at = 0; at < eight_bytes::kSize; ++at) {
        std::string text(eight_bytes::kSize, static_cast<char>(others));
        text[at] = static_cast<char>(byte);
        each(text);
      }
    }
  }
}

bool any(const std::string& text, auto is) {
  return std::ranges::any_of(text, [&](char c) { return is(static_cast<unsigned char>(c)); });
}

}  // namespace

TEST_CASE("eight bytes together say what they say one by one") {
  std::size_t wrong = 0;
  for_each_word([&](const std::string& text) {
    const std::uint64_t word = eight_bytes::load(text.data());
    const auto check = [&](std::uint64_t found, auto is) {
      wrong += (found != 0) != any(text, is);
    };
    check(eight_bytes::above_ascii(word), [](unsigned char c) { return c >= 0x80; });
    for (const std::uint8_t limit : std::initializer_list<std::uint8_t>{1, 0x20, 0x7f, 0x80})
      check(eight_bytes::below(word, limit), [&](unsigned char c) { return c < limit; });
    for (const char wanted : {'\0', '"', '\\', '\x7f', '\xff'})
      check(eight_bytes::equal(word, wanted),
            [&](unsigned char c) { return c == static_cast<unsigned char>(wanted); });
  });
  CHECK(wrong == 0);
}

TEST_CASE("the search ends where the byte is among the next eight, or where fewer are left") {
  const auto quote = [](std::uint64_t word) { return eight_bytes::equal(word, '"'); };
  for (std::size_t size = 0; size < 40; ++size) {
    CHECK(eight_bytes::find(std::string(size, 'a'), 0, quote) == size / 8 * 8);
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '"';
      CHECK(eight_bytes::find(text, 0, quote) == std::min(at / 8, size / 8) * 8);
    }
  }
  CHECK(eight_bytes::find("aaa\"aaaaaaaaaaaa", 4, quote) == 12);
}
