#include "rules/policy_hash.h"

#include <array>

#include <fmt/core.h>

#include "rules/printer.h"
#include "rules/sha256.h"

namespace rules {
namespace {

constexpr std::size_t kAddressBytes = 1 + 8 + 8;

// Family, then the address in network byte order.
char* write(const Address& address, char* at) {
  *at++ = static_cast<char>(address.family);
  for (const std::uint64_t half : {address.high, address.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = static_cast<char>(half >> shift);
  }
  return at;
}

}  // namespace

std::string members_hash(const NamedSet& set) {
  constexpr std::size_t kRangeBytes = 2 * kAddressBytes;
  Sha256 hash;
  hash.update(ports_text(set.ports));
  if (set.addresses != nullptr) {
    std::array<char, 256 * kRangeBytes> bytes;
    char* at = bytes.data();
    for (const AddressRange& range : set.addresses->ranges()) {
      at = write(range.last, write(range.first, at));
      if (at != bytes.end()) continue;
      hash.update({bytes.data(), bytes.size()});
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
