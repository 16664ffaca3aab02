// The entry point is CommunityId::of().
#include "fwd/audit/community_id.h"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "rules/policy.h"

namespace fwd::audit {
namespace {

// The two ends as they are hashed; ports are absent for protocols that the specification knows none
// of.
struct Tuple {
  rules::Address source;
  rules::Address destination;
  std::uint8_t protocol = 0;
  std::optional<std::pair<std::uint16_t, std::uint16_t>> ports;
  bool one_way = false;
};

// Requests and their replies, as Zeek pairs them.
constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 5> kIcmpPairs = {
    {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}}};
constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 6> kIcmpv6Pairs = {
    {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}}};

std::optional<std::uint8_t> counterpart(
    std::span<const std::pair<std::uint8_t, std::uint8_t>> pairs, std::uint8_t type) {
  for (const auto& [request, reply] : pairs) {
    if (type == request) return reply;
    if (type == reply) return request;
  }
  return std::nullopt;
}

// An ICMP message's type stands for the source port, and its answer's type, or else its code, for
// the other.
void set_icmp_ports(Tuple& tuple, const rules::Packet& packet) {
  const auto answer = packet.protocol == rules::protocol::kIcmp
                          ? counterpart(kIcmpPairs, packet.icmp_type)
                          : counterpart(kIcmpv6Pairs, packet.icmp_type);
  tuple.ports = {packet.icmp_type, answer.value_or(packet.icmp_code)};
  tuple.one_way = !answer;
}

// DCCP and UDP-Lite have ports, but version 1 doesn't know of them.
constexpr bool ports_count(std::uint8_t protocol) {
  return protocol == rules::protocol::kTcp || protocol == rules::protocol::kUdp ||
         protocol == rules::protocol::kSctp;
}

Tuple ordered_tuple(const rules::Packet& packet) {
  Tuple tuple{packet.source, packet.destination, packet.protocol, std::nullopt, false};
  if (packet.has_icmp) {
    set_icmp_ports(tuple, packet);
  } else if (packet.has_ports && ports_count(packet.protocol)) {
    tuple.ports = {packet.source_port, packet.destination_port};
  }
  const auto [first, second] = tuple.ports.value_or(std::pair<std::uint16_t, std::uint16_t>{});
  if (!tuple.one_way && std::pair(tuple.destination, second) < std::pair(tuple.source, first)) {
    std::swap(tuple.source, tuple.destination);
    if (tuple.ports) std::swap(tuple.ports->first, tuple.ports->second);
  }
  return tuple;
}

// Seed, addresses, protocol, padding and ports in network byte order.
class Bytes {
 public:
  explicit Bytes(const Tuple& tuple) {
    put(0, 2);
    put(tuple.source);
    put(tuple.destination);
    put(tuple.protocol, 1);
    put(0, 1);
    if (!tuple.ports) return;
    put(tuple.ports->first, 2);
    put(tuple.ports->second, 2);
  }

  const std::uint8_t* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  void put(std::uint64_t number, unsigned bytes) {
    for (; bytes != 0; --bytes) {
      bytes_[size_++] = static_cast<std::uint8_t>(number >> (8 * (bytes - 1)));
    }
  }
  void put(const rules::Address& address) {
    if (address.family == rules::Family::V4) {
      put(address.low, 4);
    } else {
      put(address.high, 8);
      put(address.low, 8);
    }
  }

  std::array<std::uint8_t, 2 + 2 * 16 + 2 + 4> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

std::string_view CommunityId::of(const rules::Packet& packet) {
  const Bytes bytes(ordered_tuple(packet));
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest;
  sha1_ctx context;
  sha1_init(&context);
  sha1_update(&context, bytes.size(), bytes.data());
  sha1_digest(&context, digest.size(), digest.data());
  constexpr std::size_t kNumberBytes = 6;
  number_ = 0;
  for (std::size_t at = 0; at < kNumberBytes; ++at) number_ = number_ << 8U | digest[at];
  static_assert(std::tuple_size_v<decltype(text_)> ==
                2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE));
  base64_encode_raw(&text_[2], digest.size(), digest.data());
  return {text_.data(), text_.size()};
}

}  // namespace fwd::audit
