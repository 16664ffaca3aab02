// Netlink's attributes (linux/netlink.h), read where they lie in bytes that may be cut short or wrong.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include <linux/netlink.h>

namespace fwd::kernel {

// In the host's byte order; nothing when the bytes are too few.
template <typename T>
std::optional<T> load(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// In network byte order; 0 when the bytes are too few.
template <std::unsigned_integral T>
T load_network(std::span<const std::byte> bytes) noexcept {
  const T value = load<T>(bytes).value_or(0);
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

// Calls take(type, value) for one attribute after the other, as long as whole ones come; the type is without its flags.
template <typename Take>
void for_each_attribute(std::span<const std::byte> bytes, Take take) {
  while (const auto header = load<nlattr>(bytes)) {
    if (header->nla_len < sizeof(nlattr) || header->nla_len > bytes.size()) break;
    take(header->nla_type & NLA_TYPE_MASK,
         bytes.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr)));
    const std::size_t aligned = NLA_ALIGN(header->nla_len);
    bytes = bytes.subspan(std::min(aligned, bytes.size()));
  }
}

// Of one whose length has been compared with the bytes at hand, as mnl_nlmsg_ok(3) does.
inline std::span<const std::byte> message_bytes(const nlmsghdr& message) noexcept {
  return {reinterpret_cast<const std::byte*>(&message), message.nlmsg_len};
}

}  // namespace fwd::kernel
