#include "fwd/kernel/nft_field.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

namespace fwd::kernel {

using namespace rules::nft;

namespace {

constexpr std::uint8_t kRoutingHeader = 43;
constexpr std::uint8_t kFragmentHeader = 44;

void write_big_endian(std::uint64_t value, std::span<std::uint8_t> out) {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8U) out[i] = static_cast<std::uint8_t>(value);
}

}  // namespace

Load load_of(Field field) {
  using enum Load::From;
  switch (field) {
    case Field::InputIndex:
      return {Meta, NFT_META_IIF, 4};
    case Field::OutputIndex:
      return {Meta, NFT_META_OIF, 4};
    case Field::InputName:
      return {Meta, NFT_META_IIFNAME, IFNAMSIZ};
    case Field::OutputName:
      return {Meta, NFT_META_OIFNAME, IFNAMSIZ};
    case Field::NetworkProtocol:
      return {Meta, NFT_META_NFPROTO, 1};
    case Field::TransportProtocol:
      return {Meta, NFT_META_L4PROTO, 1};
    case Field::Priority:
      return {Meta, NFT_META_PRIORITY, 4};
    case Field::CtState:
      return {Ct, NFT_CT_STATE, 4};
    case Field::CtDirection:
      return {Ct, NFT_CT_DIRECTION, 1};
    case Field::CtMark:
      return {Ct, NFT_CT_MARK, 4};
    case Field::Ip4Ttl:
      return {Network, 8, 1};
    case Field::Ip4Source:
      return {Network, 12, 4, true};
    case Field::Ip4Destination:
      return {Network, 16, 4, true};
    case Field::Ip6HopLimit:
      return {Network, 7, 1};
    case Field::Ip6Source:
      return {Network, 8, 16, true};
    case Field::Ip6Destination:
      return {Network, 24, 16, true};
    case Field::SourcePort:
      return {Transport, 0, 2, true};
    case Field::DestinationPort:
      return {Transport, 2, 2, true};
    case Field::IcmpType:
      return {Transport, 0, 1};
    case Field::IcmpCode:
      return {Transport, 1, 1};
    case Field::TcpFlags:
      return {Transport, 13, 1};
    case Field::Ip4Fragment:
      return {Network, 6, 2, true};
    case Field::Ip6Fragment:
      return {Extension, 2, 2, true, kFragmentHeader};
    case Field::Ip6RoutingType:
      return {Extension, 2, 1, false, kRoutingHeader};
  }
  __builtin_unreachable();
}

Bytes big_endian(std::uint64_t value, unsigned bytes) {
  Bytes out(bytes);
  write_big_endian(value, out);
  return out;
}

std::size_t write_address(const rules::Address& address, std::uint8_t* out) {
  if (address.family == rules::Family::V4) {
    const std::uint32_t bytes = htobe32(static_cast<std::uint32_t>(address.low));
    std::memcpy(out, &bytes, sizeof bytes);
    return sizeof bytes;
  }
  const std::array bytes{htobe64(address.high), htobe64(address.low)};
  std::memcpy(out, bytes.data(), sizeof bytes);
  return sizeof bytes;
}

void write_value(const Value& value, const Load& load, std::span<std::uint8_t> out) {
  if (const auto* name = std::get_if<std::string>(&value)) {
    std::ranges::fill(std::ranges::copy(name->substr(0, out.size()), out.begin()).out, out.end(),
                      0);
  } else if (const auto* address = std::get_if<rules::Address>(&value)) {
    assert(out.size() >= (address->family == rules::Family::V4 ? 4 : 16));
    write_address(*address, out.data());
  } else if (load.network_order || load.length == 1) {
    write_big_endian(std::get<std::uint32_t>(value), out);
  } else {
    std::memcpy(out.data(), &std::get<std::uint32_t>(value), sizeof(std::uint32_t));
  }
}

Bytes bytes_of(const Value& value, const Load& load) {
  Bytes out(load.length);
  write_value(value, load, out);
  return out;
}

std::uint32_t words(const Load& load) {
  return (load.length + 3) / 4;
}

KeyType key_type(Field field) {
  constexpr std::uint32_t kNfproto = 2, kInteger = 4, kIpAddress = 7, kIp6Address = 8,
                          kInetProtocol = 12, kInetService = 13, kMark = 19, kClassId = 23;
  const std::uint32_t length = load_of(field).length;
  switch (field) {
    case Field::NetworkProtocol:
      return {kNfproto, length};
    case Field::Ip4Source:
    case Field::Ip4Destination:
      return {kIpAddress, length};
    case Field::Ip6Source:
    case Field::Ip6Destination:
      return {kIp6Address, length};
    case Field::TransportProtocol:
      return {kInetProtocol, length};
    case Field::SourcePort:
    case Field::DestinationPort:
      return {kInetService, length};
    case Field::Priority:
      return {kClassId, length, true};
    case Field::CtMark:
      return {kMark, length, true};
    default:
      return {kInteger, length};
  }
}

KeyType key_type(const std::vector<Field>& fields) {
  if (fields.size() == 1) return key_type(fields.front());
  constexpr unsigned kTypeBits = 6;
  KeyType key{0, 0};
  for (const Field field : fields) {
    const KeyType part = key_type(field);
    key.datatype = key.datatype << kTypeBits | part.datatype;
    key.length += (part.length + 3) / 4 * 4;
  }
  return key;
}

std::vector<std::uint8_t> key_bytes(const std::vector<Field>& fields,
                                    const std::vector<Value>& values) {
  Bytes key;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Load load = load_of(fields[i]);
    const Bytes part = bytes_of(values[i], load);
    key.insert(key.end(), part.begin(), part.end());
    if (fields.size() > 1) key.resize(key.size() + words(load) * 4 - load.length);
  }
  return key;
}

}  // namespace fwd::kernel
