// Eight bytes of a text looked at together: policies have up to 16 MB, and a branch for each byte takes longer than what is done with it.
// The tests are those of Anderson's "Bit Twiddling Hacks" (haszero, hasless): exact as to whether there is such a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rules::eight_bytes {

inline constexpr std::size_t kSize = 8;
inline constexpr std::uint64_t kOnes = 0x0101010101010101;
inline constexpr std::uint64_t kHighBits = 0x80 * kOnes;

inline std::uint64_t load(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Not 0 where a byte is as it says.
constexpr std::uint64_t above_ascii(std::uint64_t word) {
  return word & kHighBits;
}
constexpr std::uint64_t below(std::uint64_t word, unsigned char limit) {  // at most 128
  return (word - limit * kOnes) & ~word & kHighBits;
}
constexpr std::uint64_t equal(std::uint64_t word, char byte) {
  return below(word ^ static_cast<unsigned char>(byte) * kOnes, 1);
}

// Where the first eight bytes begin of which `found` says something other than 0; where less than eight are left otherwise.
template <typename Found>
std::size_t find(std::string_view text, std::size_t from, Found found) {
  while (text.size() - from >= kSize && found(load(text.data() + from)) == 0) from += kSize;
  return from;
}

}  // namespace rules::eight_bytes
