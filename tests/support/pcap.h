// Reads classic pcap files (not pcapng), both byte orders, as far as tests need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace tests {

struct Frame {
  std::vector<std::byte> bytes;
  std::size_t wire_length = 0;  // before the capture cut it

  // Without the link layer, say.
  std::span<const std::byte> from(std::size_t offset) const;
};

struct Capture {
  std::uint32_t link_type = 0;
  std::vector<Frame> frames;

  // Where the IP header of a frame starts; nothing for other protocols and link types.
  std::optional<std::size_t> ip_offset(const Frame& frame) const;
};

// Nothing if it isn't a pcap file. A file that ends early gives the frames before that.
std::optional<Capture> read_pcap(const std::filesystem::path& path);

}  // namespace tests
