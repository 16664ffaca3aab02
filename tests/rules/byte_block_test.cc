#include "rules/byte_block.h"

#include <string>

#include <catch2/catch.hpp>

namespace byte_block = rules::byte_block;

namespace {

// Every byte among others, at every place of texts that end in the middle of a block.
std::size_t wrong_places(auto is) {
  std::size_t wrong = 0;
  for (int other = 0; other < 256; ++other) {
    if (is(static_cast<unsigned char>(other))) continue;
    for (int byte = 0; byte < 256; ++byte) {
      const bool found = is(static_cast<unsigned char>(byte));
      for (const std::size_t at : {0, 15, 16, 40, 63, 64, 79, 80, 86}) {
        std::string text(87, static_cast<char>(other));
        text[at] = static_cast<char>(byte);
        wrong += byte_block::find(text, 0, is) != (found ? at : text.size());
      }
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE("bytes together are found as they are one by one") {
  CHECK(wrong_places([](auto byte) { return byte > 0x7f; }) == 0);
  CHECK(wrong_places([](auto byte) { return (byte < 0x20) | (byte == '"') | (byte == '\\'); }) ==
        0);
}

TEST_CASE("bytes are counted, however many and wherever the text ends") {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t wanted = 0; wanted <= size; ++wanted)
      REQUIRE(byte_block::count(std::string(wanted, '\n') + std::string(size - wanted, 'a'),
                                '\n') == wanted);
  }
  const std::size_t many = 16 * 255 + 5;
  CHECK(byte_block::count(std::string(3 * many, '\xff'), '\xff') == 3 * many);
  CHECK(byte_block::count(std::string(3 * many, '\x7f'), '\xff') == 0);
}

TEST_CASE("the search finds the first such byte, wherever it begins and the text ends") {
  const auto quote = [](auto byte) { return byte == '"'; };
  for (std::size_t size = 0; size < 150; ++size) {
    const std::string none(size, 'a');
    for (std::size_t from = 0; from <= size; ++from) {
      REQUIRE(byte_block::find(none, from, quote) == size);
      std::string two = none + '"';
      two[from] = '"';
      REQUIRE(byte_block::find(two, from, quote) == from);
      if (from > 0) REQUIRE(byte_block::find(two, from - 1, quote) == from);
    }
  }
}
