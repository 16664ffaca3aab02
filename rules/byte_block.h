// Sixteen bytes of a text looked at together: policies have up to 16 MB, and a branch for each byte takes longer than what is done
// with it. By the compiler's vectors (GCC, "Using Vector Instructions through Built-in Functions").
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rules::byte_block {

using Block [[gnu::vector_size(16)]] = unsigned char;

inline Block load(const char* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof block);
  return block;
}

// A comparison's result: of each byte all bits or none.
class Mask {
 public:
  explicit Mask(const auto& mask) {
    static_assert(sizeof words_ == sizeof mask);
    std::memcpy(words_.data(), &mask, sizeof mask);
  }
  bool any() const { return (words_[0] | words_[1]) != 0; }
  // Of some.
  std::size_t first() const {
    return words_[0] != 0 ? first_in(words_[0]) : sizeof words_[0] + first_in(words_[1]);
  }

 private:
  static std::size_t first_in(std::uint64_t word) {
    const bool little = std::endian::native == std::endian::little;
    return static_cast<std::size_t>(little ? std::countr_zero(word) : std::countl_zero(word)) / 8;
  }

  std::array<std::uint64_t, 2> words_;
};

// The first byte of which `is` says something other than 0, from there on; the text's size where there is none. `is` takes a
// Block as well as a byte: [](auto byte) { return (byte < 0x20) | (byte == '"'); }
template <typename Is>
std::size_t find_near(std::string_view text, std::size_t from, Is is) {
  for (; text.size() - from >= sizeof(Block); from += sizeof(Block)) {
    const Mask found(is(load(text.data() + from)));
    if (found.any()) return from + found.first();
  }
  while (from < text.size() && !is(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

// The same, faster where it is likely to be far away.
template <typename Is>
std::size_t find(std::string_view text, std::size_t from, Is is) {
  constexpr std::size_t kSize = sizeof(Block);
  const auto in = [&](std::size_t block) { return is(load(text.data() + from + block * kSize)); };
  while (text.size() - from >= 4 * kSize && !Mask(in(0) | in(1) | in(2) | in(3)).any())
    from += 4 * kSize;
  return find_near(text, from, is);
}

inline std::size_t count(std::string_view text, char wanted) {
  const auto byte = static_cast<unsigned char>(wanted);
  std::size_t found = 0;
  while (text.size() >= sizeof(Block)) {
    Block counts{};  // in bytes, which hold 255
    for (int i = 0; i < 255 && text.size() >= sizeof(Block); ++i) {
      counts -= static_cast<Block>(load(text.data()) == byte);  // -1 where it is
      text.remove_prefix(sizeof(Block));
    }
    for (std::size_t i = 0; i < sizeof(Block); ++i) found += counts[i];
  }
  for (const char c : text) found += c == wanted ? 1 : 0;
  return found;
}

}  // namespace rules::byte_block
