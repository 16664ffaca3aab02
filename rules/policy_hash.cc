#include "rules/policy_hash.h"

#include <fmt/format.h>

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
  std::string bytes = ports_text(set.ports);
  if (set.addresses != nullptr) {
    bytes.resize(set.addresses->size() * 2 * kAddressBytes);
    char* at = bytes.data();
    for (const AddressRange& range : set.addresses->ranges())
      at = write(range.last, write(range.first, at));
  }
  return sha256_hex(bytes);
}

std::string hash_of(const Policy& policy) {
  std::string text;
  for (const auto& [name, set] : policy.sets) text += fmt::format("set {} {}\n", name, set.hash);
  text += print_switches(policy);
  for (const Rule& rule : policy.rules) {
    text += rule.id.view();
    append_remarks(text, rule);
    text += '\n';
  }
  return sha256_hex(text);
}

}  // namespace rules
