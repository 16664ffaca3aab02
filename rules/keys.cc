#include "rules/keys.h"

namespace rules::keys {
namespace {

template <typename Key, typename Convert>
KeyRanges<Key> of_family(const AddressMatch& match, Family family, Convert to_key) {
  if (match.any()) return {KeyRange<Key>{}};
  KeyRanges<Key> ranges;
  for (const auto& range : match.members->ranges()) {
    if (range.first.family == family) ranges.push_back({to_key(range.first), to_key(range.last)});
  }
  return ranges;
}

void append(KeyRanges<Key32>& ranges, const ProtocolMatch& match) {
  const Key32 number = Key32{match.number} << kProtocolShift;
  if (!match.icmp_type && !match.icmp_code) {
    ranges.push_back({number, number + (1U << kProtocolShift) - 1});
    return;
  }
  // A code without a type is that code of every type.
  const Key32 first_type = match.icmp_type.value_or(0);
  const Key32 last_type = match.icmp_type.value_or(255);
  const Key32 first_code = match.icmp_code.value_or(0);
  const Key32 last_code = match.icmp_code.value_or(255);
  for (Key32 type = first_type; type <= last_type; ++type) {
    const Key32 key = number | kHasIcmp | type << 8U;
    ranges.push_back({key | first_code, key | last_code});
  }
}

}  // namespace

KeyRanges<Key32> v4(const AddressMatch& match) {
  return of_family<Key32>(match, Family::V4, [](const Address& address) { return v4(address); });
}

KeyRanges<Key128> v6(const AddressMatch& match) {
  return of_family<Key128>(match, Family::V6, [](const Address& address) { return v6(address); });
}

KeyRanges<Key32> ports(const std::vector<PortRange>& ranges) {
  if (ranges.empty()) return {KeyRange<Key32>{}};
  KeyRanges<Key32> keys;
  for (const auto& range : ranges) keys.push_back({range.first, range.last});
  return keys;
}

KeyRanges<Key32> protocols(const std::vector<ProtocolMatch>& matches) {
  if (matches.empty()) return {KeyRange<Key32>{}};
  KeyRanges<Key32> ranges;
  for (const auto& match : matches) append(ranges, match);
  return ranges;
}

KeyRanges<Key32> exactly(std::optional<Key32> number) {
  return {number ? KeyRange<Key32>{*number, *number} : KeyRange<Key32>{}};
}

}  // namespace rules::keys
