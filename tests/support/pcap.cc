#include "tests/support/pcap.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "rules/wire.h"

namespace tests {
namespace {

using rules::wire::Bytes;
using rules::wire::u16;
using rules::wire::u32;

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kFrameHeader = 16;

std::vector<std::byte> slurp(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::vector<char> text{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

std::uint32_t number(Bytes bytes, std::size_t at, bool swapped) {
  const std::uint32_t value = u32(bytes, at);
  return swapped ? __builtin_bswap32(value) : value;
}

bool is_magic(std::uint32_t value) {
  return value == kMicroseconds || value == kNanoseconds;
}

std::optional<std::size_t> behind_ethertype(Bytes bytes, std::size_t at) {
  constexpr std::uint16_t kVlan = 0x8100;
  constexpr std::uint16_t kIpv4 = 0x0800;
  constexpr std::uint16_t kIpv6 = 0x86dd;
  while (bytes.size() >= at + 6 && u16(bytes, at) == kVlan) at += 4;
  if (bytes.size() < at + 2) return std::nullopt;
  const std::uint16_t type = u16(bytes, at);
  if (type != kIpv4 && type != kIpv6) return std::nullopt;
  return at + 2;
}

}  // namespace

std::span<const std::byte> Frame::from(std::size_t offset) const {
  return std::span{bytes}.subspan(std::min(offset, bytes.size()));
}

std::optional<std::size_t> Capture::ip_offset(const Frame& frame) const {
  switch (link_type) {
    case 0:
      return 4;  // BSD loopback
    case 1:
      return behind_ethertype(frame.bytes, 12);  // Ethernet
    case 12:
    case 14:
    case 101:
      return 0;  // raw IP
    case 113:
      return behind_ethertype(frame.bytes, 14);  // Linux cooked
    default:
      return std::nullopt;
  }
}

std::optional<Capture> read_pcap(const std::filesystem::path& path) {
  const auto file = slurp(path);
  const Bytes bytes{file};
  if (bytes.size() < kFileHeader) return std::nullopt;
  const bool swapped = !is_magic(u32(bytes, 0));
  if (swapped && !is_magic(number(bytes, 0, true))) return std::nullopt;

  Capture capture;
  // The upper bits tell of a frame check sequence.
  capture.link_type = number(bytes, 20, swapped) & 0x03ffffffU;
  std::size_t at = kFileHeader;
  while (bytes.size() - at >= kFrameHeader) {
    const std::size_t captured = number(bytes, at + 8, swapped);
    const std::size_t wire_length = number(bytes, at + 12, swapped);
    at += kFrameHeader;
    if (captured > bytes.size() - at) break;
    const auto data = bytes.subspan(at, captured);
    capture.frames.push_back({{data.begin(), data.end()}, wire_length});
    at += captured;
  }
  return capture;
}

}  // namespace tests
