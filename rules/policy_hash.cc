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

// How many, their keys in network byte order, then those rules' lines that the keys don't tell.
void hash_rules(const RuleList& rules, Sha256& hash) {
  hash.update(fmt::format("rules {}\n", rules.size()));
  std::array<char, 512 * sizeof(std::uint64_t)> bytes;
  char* at = bytes.data();
  const auto take = [&] {
    hash.update({bytes.data(), at});
    at = bytes.data();
  };
  for (const std::uint64_t key : rules.keys()) {
    at = write(htobe64(key), at);
    if (at == bytes.end()) take();
  }
  take();
  for (std::size_t i = 0; (i = rules.next_that_says_more(i)) < rules.size(); ++i) {
    std::string line = rules[i].id.str();
    append_remarks(line, rules[i]);
    hash.update(line += '\n');
  }
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
  hash_rules(policy.rules, hash);
  return hash.take_hex();
}

}  // namespace rules
