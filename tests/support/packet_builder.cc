#include "tests/support/packet_builder.h"

#include <ranges>
#include <stdexcept>

#include "rules/address.h"

namespace tests {
namespace {

constexpr std::uint8_t kNoNextHeader = 59;

void put(ByteVector& bytes, std::uint64_t number, unsigned width) {
  for (unsigned left = width; left > 0; --left) {
    bytes.push_back(static_cast<std::byte>(number >> (8 * (left - 1)) & 0xffU));
  }
}

void put(ByteVector& bytes, const ByteVector& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

rules::Address address(const std::string& text) {
  const auto parsed = rules::parse_address(text);
  if (!parsed) throw std::invalid_argument("no address: " + text);
  return *parsed;
}

}  // namespace

ByteVector to_bytes(std::initializer_list<unsigned> values) {
  ByteVector bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

ByteVector IPv4::before(std::uint8_t next, const ByteVector& rest) const {
  const std::size_t header = 20 + options.size();
  ByteVector bytes;
  put(bytes, 0x40U | ihl.value_or(static_cast<std::uint8_t>(header / 4)), 1);
  put(bytes, 0, 1);
  put(bytes, total_length.value_or(static_cast<std::uint16_t>(header + rest.size())), 2);
  put(bytes, 0, 2);
  put(bytes, fragment, 2);
  put(bytes, ttl, 1);
  put(bytes, protocol.value_or(next), 1);
  put(bytes, 0, 2);
  put(bytes, address(source).low, 4);
  put(bytes, address(destination).low, 4);
  put(bytes, options);
  put(bytes, rest);
  return bytes;
}

ByteVector IPv6::before(std::uint8_t next, const ByteVector& rest) const {
  ByteVector bytes;
  put(bytes, 0x60000000U, 4);
  put(bytes, payload_length.value_or(static_cast<std::uint16_t>(rest.size())), 2);
  put(bytes, next_header.value_or(next), 1);
  put(bytes, hop_limit, 1);
  for (const auto& end : {address(source), address(destination)}) {
    put(bytes, end.high, 8);
    put(bytes, end.low, 8);
  }
  put(bytes, rest);
  return bytes;
}

ByteVector FragmentHeader::before(std::uint8_t next, const ByteVector& rest) const {
  ByteVector bytes;
  put(bytes, next, 1);
  put(bytes, reserved, 1);
  put(bytes, offset << 3U | (more ? 1U : 0U), 2);
  put(bytes, 0, 4);
  put(bytes, rest);
  return bytes;
}

ByteVector Tcp::before(std::uint8_t, const ByteVector& rest) const {
  ByteVector bytes;
  put(bytes, sport, 2);
  put(bytes, dport, 2);
  put(bytes, 0, 8);
  put(bytes, data_offset << 4U, 1);
  put(bytes, flags, 1);
  put(bytes, 0, 6);
  put(bytes, rest);
  return bytes;
}

ByteVector Raw::before(std::uint8_t, const ByteVector& rest) const {
  ByteVector bytes = data;
  put(bytes, rest);
  return bytes;
}

ByteVector PacketBuilder::bytes() const {
  ByteVector bytes;
  std::uint8_t next = kNoNextHeader;
  for (const Layer& layer : std::views::reverse(layers_)) {
    bytes = layer.before(next, bytes);
    next = layer.number;
  }
  return bytes;
}

}  // namespace tests
