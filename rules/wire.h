// Big-endian numbers out of bytes. Callers check the size first; a span's own assertions check it
// again in builds with _GLIBCXX_ASSERTIONS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rules::wire {

using Bytes = std::span<const std::byte>;

inline std::uint8_t u8(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

inline std::uint16_t u16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(u8(bytes, at) << 8 | u8(bytes, at + 1));
}

inline std::uint32_t u32(Bytes bytes, std::size_t at) {
  return std::uint32_t{u16(bytes, at)} << 16U | u16(bytes, at + 2);
}

inline std::uint64_t u64(Bytes bytes, std::size_t at) {
  return std::uint64_t{u32(bytes, at)} << 32U | u32(bytes, at + 4);
}

}  // namespace rules::wire
