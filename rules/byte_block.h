// Sixteen bytes of a text looked at together: policies have up to 16 MB, and a branch for each byte takes longer than what is done
// with it. By the compiler's vectors (GCC, "Using Vector Instructions through Built-in Functions"), for any processor.
#pragma once

#include <array>
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

// Whether any byte of the mask isn't 0.
inline bool any(const auto& mask) {
  std::array<std::uint64_t, 2> words;
  static_assert(sizeof words == sizeof mask);
  std::memcpy(words.data(), &mask, sizeof mask);
  return (words[0] | words[1]) != 0;
}

// The first byte of which `is` says something other than 0, from there on; the text's size where there is none. `is` takes a
// Block as well as a byte: [](auto byte) { return (byte < 0x20) | (byte == '"'); }
template <typename Is>
std::size_t find(std::string_view text, std::size_t from, Is is) {
  constexpr std::size_t kSize = sizeof(Block);
  const char* const bytes = text.data();
  while (text.size() - from >= 4 * kSize &&
         !any(is(load(bytes + from)) | is(load(bytes + from + kSize)) |
              is(load(bytes + from + 2 * kSize)) | is(load(bytes + from + 3 * kSize))))
    from += 4 * kSize;
  while (text.size() - from >= kSize && !any(is(load(bytes + from)))) from += kSize;
  while (from < text.size() && !is(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

}  // namespace rules::byte_block
