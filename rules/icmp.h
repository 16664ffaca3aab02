// ICMP and ICMPv6 types and codes by name (IANA's registries; the names are those of nft and
// ip6tables).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rules {

struct IcmpType {
  std::uint8_t type = 0;
  std::optional<std::uint8_t> code;  // nothing: any

  bool operator==(const IcmpType&) const = default;
};

// One meaning, and what it is in each of the two protocols; a protocol that hasn't got it is empty.
struct IcmpName {
  std::string_view name;
  std::optional<IcmpType> v4;
  std::optional<IcmpType> v6;
};

const IcmpName* icmp_by_name(std::string_view name);
std::string icmp_hint(std::string_view name);

// The first name that means exactly this.
const IcmpName* icmp_by_types(const std::optional<IcmpType>& v4, const std::optional<IcmpType>& v6);

// "3" or "3/13"
std::optional<IcmpType> read_icmp_number(std::string_view text);
std::string to_string(const IcmpType& type);

}  // namespace rules
