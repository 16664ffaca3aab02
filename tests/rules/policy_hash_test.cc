#include "rules/policy_hash.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "rules/sha256.h"
#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

std::string hash(const std::string& text) {
  const auto resolved = resolve_tree(tree_of(text));
  REQUIRE(resolved);
  CHECK(resolved->policy.hash == hash_of(resolved->policy));
  return resolved->policy.hash;
}

const std::string kText =
    "set a = { 10.0.0.1, 10.0.0.3 }\nallow in from @a to any port 22\ndeny in 80/tcp comment "
    "\"x\"\n";

}  // namespace

TEST_CASE("policies that say the same in other words have the same hash") {
  CHECK(hash(kText).size() == 64);
  CHECK(hash("# head\n" + kText) == hash(kText));
  CHECK(hash("set a = {\n  10.0.0.3/32,\n  10.0.0.1\n}\nallow from @a to any port 22\n"
             "deny http comment 'x'\n") == hash(kText));
}

TEST_CASE("a set's members are hashed as one text, however many there are") {
  for (const std::uint32_t count : {0U, 1U, 934U, 935U, 936U, 937U, 938U, 939U, 2000U}) {
    NamedSet set;
    std::vector<AddressRange> ranges;
    std::string bytes;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t address = 4 * i;
      ranges.push_back({Address::v4(address), Address::v4(address)});
      bytes += '\0';  // IPv4
      for (int end = 0; end < 2; ++end) {
        for (const unsigned shift : {24U, 16U, 8U, 0U})
          bytes += static_cast<char>(address >> shift);
      }
    }
    set.addresses = std::make_shared<const AddressSet>(ranges);
    CHECK(members_hash(set) == sha256_hex(bytes));
  }
}

TEST_CASE("an IPv6 range is hashed with its family and all bits of both ends") {
  NamedSet set;
  set.addresses = std::make_shared<const AddressSet>(std::vector<AddressRange>{
      {Address::v6(0x0102030405060708, 0), Address::v6(0x0102030405060708, 0xff)}});
  const std::string network = "\1\2\3\4\5\6\7\x8";
  const std::string zeros(8, '\0');
  CHECK(members_hash(set) ==
        sha256_hex('\1' + network + zeros + network + zeros.substr(1) + '\xff'));
}

TEST_CASE("rules are hashed as one text, however many there are") {
  for (const std::size_t count : {0U, 1U, 511U, 512U, 513U, 1024U, 1500U}) {
    Policy policy;
    std::string bytes = "default deny in\ndefault allow out\n" + fmt::format("rules {}\n", count);
    for (std::size_t i = 0; i < count; ++i) {
      Rule rule;
      rule.id = fmt::format("{:016x}", i + 1);
      policy.rules.push_back(rule);
      for (int shift = 56; shift >= 0; shift -= 8)
        bytes += static_cast<char>(std::uint64_t{i + 1} >> shift);
    }
    CHECK(hash_of(policy) == sha256_hex(bytes));
  }
}

TEST_CASE("which of two rules has the comment makes a difference, and every digit of an id") {
  const auto hash = [](const char* first, const char* second, std::size_t commented) {
    Policy policy;
    for (const char* id : {first, second}) {
      Rule rule;
      rule.id = id;
      if (policy.rules.size() == commented) rule.comment = "x";
      policy.rules.push_back(rule);
    }
    return hash_of(policy);
  };
  const std::vector<std::string> hashes = {
      hash("00000000000000a0", "00000000000000b0", 0),
      hash("00000000000000a0", "00000000000000b0", 1),
      hash("00000000000000a0", "00000000000000b0", 2),
      hash("00000000000000a1", "00000000000000b0", 2),
      hash("00000000000000b0", "00000000000000a0", 2),
      hash("ping", "00000000000000b0", 2),
      hash("mld", "00000000000000b0", 2),
  };
  CHECK(std::set(hashes.begin(), hashes.end()).size() == hashes.size());
}

TEST_CASE("whatever a policy says differently changes its hash") {
  const auto allow = [](char set) {
    return fmt::format("allow in from @{} to any port 22\n", set);
  };
  const std::string deny = "deny in 80/tcp comment \"x\"\n";
  const std::vector<std::string> texts = {
      "",
      kText,
      "set a = { 10.0.0.1, 10.0.0.2 }\n" + allow('a') + deny,
      "set a = { 10.0.0.1-10.0.0.3 }\n" + allow('a') + deny,
      "set b = { 10.0.0.1, 10.0.0.3 }\n" + allow('b') + deny,
      "set a = { 10.0.0.1, 10.0.0.3 }\n" + deny + allow('a'),
      kText + "default deny out\n",
      kText + "default reject in\n",
      kText + "builtin ping off\n",
      kText + "set ports = { 1, 2 }\n",
      kText + "set ports = { 1:2 }\n",
      kText + "allow 443/tcp\n",
      kText + "allow 443/tcp log\n",
      kText + "allow 443/tcp log none\n",
      kText + "allow 443/tcp comment \"y\"\n",
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      INFO(texts[i] << "and\n" << texts[j]);
      CHECK((hash(texts[i]) == hash(texts[j])) ==
            (texts[i].ends_with("1:2 }\n") && texts[j].ends_with("1, 2 }\n")));
    }
  }
}
