#include "rules/policy_hash.h"

#include <fmt/format.h>

#include "rules/printer.h"
#include "rules/sha256.h"

namespace rules {
namespace {

void append_number(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

void append_address(std::string& bytes, const Address& address) {
  bytes += static_cast<char>(address.family);
  append_number(bytes, address.high);
  append_number(bytes, address.low);
}

}  // namespace

std::string members_hash(const NamedSet& set) {
  constexpr std::size_t kBytes = 2 * 17;  // of a range
  std::string bytes = ports_text(set.ports);
  if (set.addresses != nullptr) {
    const auto ranges = set.addresses->ranges();
    bytes.reserve(ranges.size() * kBytes);
    for (const AddressRange& range : ranges) {
      append_address(bytes, range.first);
      append_address(bytes, range.last);
    }
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
