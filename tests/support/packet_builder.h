// Packets for tests, outermost header first: bytes(IPv4{.ttl = 1} / Tcp{.dport = 80}). Lengths and
// next headers are filled in unless a test sets them wrong on purpose. Addresses are those for
// documentation (RFC 5737, RFC 3849). Checksums are zero: nothing here looks at them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tests {

using ByteVector = std::vector<std::byte>;

ByteVector to_bytes(std::initializer_list<unsigned> values);

// Every header has a number by which the one before announces it, and writes itself before what
// follows.
struct IPv4 {
  std::string source = "192.0.2.1";
  std::string destination = "198.51.100.1";
  std::uint8_t ttl = 64;
  std::uint16_t fragment = 0;  // flags and offset, as on the wire
  ByteVector options = {};     // a multiple of four
  std::optional<std::uint8_t> protocol = {};
  std::optional<std::uint8_t> ihl = {};
  std::optional<std::uint16_t> total_length = {};

  static constexpr std::uint8_t kNumber = 4;
  ByteVector before(std::uint8_t next, const ByteVector& rest) const;
};

struct IPv6 {
  std::string source = "2001:db8::1";
  std::string destination = "2001:db8:ffff::1";
  std::uint8_t hop_limit = 64;
  std::optional<std::uint8_t> next_header = {};
  std::optional<std::uint16_t> payload_length = {};

  static constexpr std::uint8_t kNumber = 41;
  ByteVector before(std::uint8_t next, const ByteVector& rest) const;
};

// Hop-by-hop options, destination options and the like: 8 * (1 + units) bytes.
template <std::uint8_t Number>
struct Options {
  std::uint8_t units = 0;
  std::uint8_t third_byte = 0;

  static constexpr std::uint8_t kNumber = Number;
  ByteVector before(std::uint8_t next, const ByteVector& rest) const {
    ByteVector header(std::size_t{8} * (1U + units));
    header[0] = std::byte{next};
    header[1] = std::byte{units};
    header[2] = std::byte{third_byte};
    header.insert(header.end(), rest.begin(), rest.end());
    return header;
  }
};
using HopByHop = Options<0>;
using Routing = Options<43>;  // third_byte is the type
using DestinationOptions = Options<60>;
using Mobility = Options<135>;

struct FragmentHeader {
  std::uint16_t offset = 0;  // in units of 8 bytes
  bool more = false;
  std::uint8_t reserved = 0;

  static constexpr std::uint8_t kNumber = 44;
  ByteVector before(std::uint8_t next, const ByteVector& rest) const;
};

struct Tcp {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 80;
  std::uint8_t flags = 0x02;  // SYN
  std::uint8_t data_offset = 5;

  static constexpr std::uint8_t kNumber = 6;
  ByteVector before(std::uint8_t next, const ByteVector& rest) const;
};

template <std::uint8_t Number>
struct Datagram {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 53;
  std::optional<std::uint16_t> length = {};  // UDP-Lite: the checksum's coverage

  static constexpr std::uint8_t kNumber = Number;
  ByteVector before(std::uint8_t, const ByteVector& rest) const {
    const std::size_t real = 8 + rest.size();
    const unsigned says = length.value_or(static_cast<std::uint16_t>(real));
    auto header = to_bytes(
        {sport / 256U, sport % 256U, dport / 256U, dport % 256U, says / 256U, says % 256U, 0, 0});
    header.insert(header.end(), rest.begin(), rest.end());
    return header;
  }
};
using Udp = Datagram<17>;
using UdpLite = Datagram<136>;

// SCTP and DCCP: ports in front of a header of at least 12 bytes.
template <std::uint8_t Number>
struct Stream {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 9;

  static constexpr std::uint8_t kNumber = Number;
  ByteVector before(std::uint8_t, const ByteVector& rest) const {
    auto header =
        to_bytes({sport / 256U, sport % 256U, dport / 256U, dport % 256U, 0, 0, 0, 0, 0, 0, 0, 0});
    header.insert(header.end(), rest.begin(), rest.end());
    return header;
  }
};
using Sctp = Stream<132>;
using Dccp = Stream<33>;

template <std::uint8_t Number>
struct IcmpMessage {
  std::uint8_t type = 8;
  std::uint8_t code = 0;

  static constexpr std::uint8_t kNumber = Number;
  ByteVector before(std::uint8_t, const ByteVector& rest) const {
    auto header = to_bytes({type, code, 0, 0, 0, 0, 0, 0});
    header.insert(header.end(), rest.begin(), rest.end());
    return header;
  }
};
using Icmp = IcmpMessage<1>;
using Icmpv6 = IcmpMessage<58>;

// Whatever else: a protocol number and its bytes.
struct Raw {
  std::uint8_t number = 59;
  ByteVector data = {};

  ByteVector before(std::uint8_t next, const ByteVector& rest) const;
};

template <typename T>
concept Header = requires(const T& header, const ByteVector& rest) {
  { header.before(std::uint8_t{}, rest) } -> std::same_as<ByteVector>;
};

class PacketBuilder {
 public:
  template <Header T>
  PacketBuilder& add(const T& header) {
    std::uint8_t number = 0;
    if constexpr (requires { header.number; }) {
      number = header.number;
    } else {
      number = T::kNumber;
    }
    layers_.push_back({number, [header](std::uint8_t next, const ByteVector& rest) {
                         return header.before(next, rest);
                       }});
    return *this;
  }
  ByteVector bytes() const;

 private:
  struct Layer {
    std::uint8_t number = 0;
    std::function<ByteVector(std::uint8_t, const ByteVector&)> before;
  };
  std::vector<Layer> layers_;
};

template <Header Outer, Header Inner>
PacketBuilder operator/(const Outer& outer, const Inner& inner) {
  return PacketBuilder{}.add(outer).add(inner);
}

template <Header Inner>
PacketBuilder operator/(PacketBuilder outer, const Inner& inner) {
  return outer.add(inner);
}

inline ByteVector bytes(const PacketBuilder& builder) {
  return builder.bytes();
}

}  // namespace tests
