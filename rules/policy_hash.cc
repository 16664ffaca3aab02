#include "rules/policy_hash.h"

#include <array>
#include <cstring>

#include <endian.h>
#include <fmt/core.h>

#include "rules/printer.h"
#include "rules/sha256.h"

namespace rules {
namespace {

constexpr std::size_t kRangeBytes = 1 + 2 * 16;  // at most

template <typename Number>
char* write(Number number, char* at) {
  std::memcpy(at, &number, sizeof number);
  return at + sizeof number;
}

// The family, then both ends in network byte order.
char* write(const AddressRange& range, char* at) {
  *at++ = static_cast<char>(range.first.family);
  for (const Address& end : {range.first, range.last}) {
    if (end.family == Family::V4) {
      at = write(htobe32(static_cast<std::uint32_t>(end.low)), at);
    } else {
      at = write(htobe64(end.low), write(htobe64(end.high), at));
    }
  }
  return at;
}

}  // namespace

std::string members_hash(const NamedSet& set) {
  Sha256 hash;
  hash.update(ports_text(set.ports));
  if (set.addresses != nullptr) {
    std::array<char, 256 * kRangeBytes> bytes;
    char* at = bytes.data();
    for (const AddressRange& range : set.addresses->ranges()) {
      at = write(range, at);
      if (bytes.end() - at >= static_cast<std::ptrdiff_t>(kRangeBytes)) continue;
      hash.update({bytes.data(), at});
      at = bytes.data();
    }
    hash.update({bytes.data(), at});
  }
  return hash.take_hex();
}

std::string hash_of(const Policy& policy) {
  Sha256 hash;
  for (const auto& [name, set] : policy.sets)
    hash.update(fmt::format("set {} {}\n", name, set.hash));
  hash.update(print_switches(policy));
  std::string line;
  for (const Rule& rule : policy.rules) {
    line = rule.id.view();
    append_remarks(line, rule);
    line += '\n';
    hash.update(line);
  }
  return hash.take_hex();
}

}  // namespace rules
