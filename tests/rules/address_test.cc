#include "rules/address.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>

using rules::Address;
using rules::AddressRange;
using rules::AddressSet;
using rules::Family;
using rules::parse_address;
using rules::parse_range;
using rules::to_string;

namespace {

AddressRange range(std::string_view text) {
  const auto parsed = parse_range(text);
  INFO("range " << text);
  REQUIRE(parsed.has_value());
  return parsed.value_or(AddressRange{});
}

AddressSet set(std::initializer_list<std::string_view> texts) {
  std::vector<AddressRange> ranges;
  ranges.reserve(texts.size());
  for (const auto text : texts) ranges.push_back(range(text));
  return AddressSet{ranges};
}

std::vector<std::string> printed(const auto& ranges) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const auto& each : ranges) texts.push_back(to_string(each));
  return texts;
}

bool inet_pton_accepts(const std::string& text) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

}  // namespace

TEST_CASE("an address prints as RFC 5952 says, whatever way it was written") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"0.0.0.0", "0.0.0.0"},
      {"192.0.2.1", "192.0.2.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"fe80::AbCd", "fe80::abcd"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"::192.0.2.1", "::c000:201"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  }));
  INFO(text);
  const auto address = parse_address(text);
  REQUIRE(address.has_value());
  CHECK(to_string(*address) == expected);
}

TEST_CASE("what isn't exactly an address is refused") {
  const std::string text =
      GENERATE("", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", " 1.2.3.4", "1.2.3.", ".1.2.3",
               "1..2.3", "256.0.0.1", "1.2.3.256", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "+1.2.3.4",
               "-1.2.3.4", "1.2.3.4/24", "1.2.3.4-1.2.3.5", "1.2.3.1000", "a.b.c.d", ":",
               ":::", "::1::", "1::2::3", ":1::2", "1::2:", ":1:2:3:4:5:6:7:8",
               "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8",
               "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "12345::", "g::", "fe80::1%eth0", "[::1]",
               "::1.2.3", "::1.2.3.4.5", "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:1",
               "1:2:3:4:5:6:7:1.2.3.4", "::0x1", "::-1", "::+1", ": :1", "1.2.3.4:80");
  INFO('"' << text << '"');
  CHECK_FALSE(parse_address(text).has_value());
}

TEST_CASE("a null byte doesn't end an address early") {
  using std::literals::operator""sv;
  CHECK_FALSE(parse_address("1.2.3.4\0"sv).has_value());
  CHECK_FALSE(parse_address("::1\0x"sv).has_value());
}

TEST_CASE("an IPv4-mapped IPv6 address isn't the IPv4 address") {
  const auto mapped = parse_address("::ffff:192.0.2.1");
  REQUIRE(mapped.has_value());
  CHECK(mapped->family == Family::V6);
  CHECK_FALSE(set({"0.0.0.0/0"}).contains(*mapped));
}

TEST_CASE("random IPv6-like text is accepted exactly when inet_pton accepts it") {
  std::mt19937 random{20240607};
  static constexpr std::string_view kPieces[] = {":", "::", "0", "1", "ab", "ffff", "1.2.3.4", "."};
  std::uniform_int_distribution<std::size_t> piece{0, std::size(kPieces) - 1};
  std::uniform_int_distribution<int> count{1, 18};
  for (int round = 0; round < 50000; ++round) {
    std::string text = "1:";
    for (int left = count(random); left > 0; --left) text += kPieces[piece(random)];
    INFO(text);
    REQUIRE(parse_address(text).has_value() == inet_pton_accepts(text));
  }
}

TEST_CASE("printing a random IPv6 address and parsing it gives the same address") {
  std::mt19937_64 random{4291};
  for (int round = 0; round < 20000; ++round) {
    // Groups are dropped at random, so that gaps of every length and place appear.
    const auto pick = [&] { return random() & (random() | 0xffff00000000ffffULL) & random(); };
    const Address address = Address::v6(pick(), round % 3 == 0 ? pick() & 0xffffU : pick());
    INFO(to_string(address));
    REQUIRE(parse_address(to_string(address)) == address);
    REQUIRE(inet_pton_accepts(to_string(address)));
  }
}

TEST_CASE("a range is written in its shortest exact form") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1/32", "192.0.2.1"},
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"192.0.2.0-192.0.2.255", "192.0.2.0/24"},
      {"192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"},
      {"192.0.2.1-192.0.2.4", "192.0.2.1-192.0.2.4"},
      {"192.0.2.7-192.0.2.7", "192.0.2.7"},
      {"2001:db8::/32", "2001:db8::/32"},
      {"::/0", "::/0"},
      {"::1/128", "::1"},
      {"2001:db8::1-2001:db8::f", "2001:db8::1-2001:db8::f"},
  }));
  INFO(text);
  CHECK(to_string(range(text)) == expected);
}

TEST_CASE("what isn't exactly a range is refused") {
  const std::string text =
      GENERATE("", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/024", "192.0.2.0/-1",
               "192.0.2.0/+8", "192.0.2.0/24/24", "192.0.2.1/24", "192.0.2.0/255.255.255.0",
               "2001:db8::/129", "::1/64", "192.0.2.9-192.0.2.1", "192.0.2.1-", "-192.0.2.1",
               "192.0.2.1-2001:db8::1", "192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.2-192.0.2.3",
               "192.0.2.0/24-192.0.3.0/24", "192.0.2.0-192.0.2.8/29");
  INFO('"' << text << '"');
  CHECK_FALSE(parse_range(text).has_value());
}

TEST_CASE("a range splits into the fewest prefixes that cover it exactly") {
  using Texts = std::vector<std::string>;
  CHECK(printed(to_prefixes(range("192.0.2.1-192.0.2.9"))) ==
        Texts{"192.0.2.1", "192.0.2.2/31", "192.0.2.4/30", "192.0.2.8/31"});
  CHECK(printed(to_prefixes(range("0.0.0.0/0"))) == Texts{"0.0.0.0/0"});
  CHECK(printed(to_prefixes(range("0.0.0.0-0.0.0.0"))) == Texts{"0.0.0.0"});
  CHECK(printed(to_prefixes(range("255.255.255.254-255.255.255.255"))) ==
        Texts{"255.255.255.254/31"});
  CHECK(printed(to_prefixes(range("::/0"))) == Texts{"::/0"});
  CHECK(printed(to_prefixes(range("::1-::4"))) == Texts{"::1", "::2/127", "::4"});
  CHECK(to_prefixes(range("0.0.0.1-255.255.255.254")).size() == 62);
  CHECK(to_prefixes(range("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")).size() == 254);
}

TEST_CASE("every prefix length is found again, and neighbours of a prefix are none") {
  for (const auto* const text : {"203.0.113.173", "2001:db8:aaaa:5555:aaaa:5555:aaaa:5555"}) {
    const Address address = range(text).first;
    const unsigned width = address.family == Family::V4 ? 32 : 128;
    for (unsigned bits = 0; bits <= width; ++bits) {
      const auto prefix = rules::prefix_range(address, bits);
      REQUIRE(prefix.contains(address));
      REQUIRE(prefix_length(prefix) == bits);
      REQUIRE(parse_range(to_string(prefix)) == prefix);
      if (bits + 2 > width) continue;
      auto short_by_one = prefix;
      --short_by_one.last.low;
      REQUIRE_FALSE(rules::prefix_length(short_by_one).has_value());
    }
  }
}

TEST_CASE("a set merges what overlaps or touches, within a family only") {
  CHECK(printed(set({"192.0.2.128/25", "192.0.2.0/25"}).ranges()) ==
        std::vector<std::string>{"192.0.2.0/24"});
  CHECK(printed(set({"192.0.2.0/24", "192.0.2.7"}).ranges()) ==
        std::vector<std::string>{"192.0.2.0/24"});
  CHECK(set({"192.0.2.1", "192.0.2.3"}).ranges().size() == 2);
  CHECK(set({"255.255.255.255", "::"}).ranges().size() == 2);
  CHECK(set({"0.0.0.0/0", "::/0"}).ranges().size() == 2);
  CHECK(printed(set({"::ffff:ffff:ffff:ffff", "0:0:0:1::"}).ranges()) ==
        std::vector<std::string>{"::ffff:ffff:ffff:ffff-0:0:0:1::"});
}

TEST_CASE("a set contains its members and not their neighbours") {
  const auto addresses = set({"192.0.2.10-192.0.2.20", "198.51.100.0/24", "2001:db8:1::/64"});
  const auto contains = [&](std::string_view text) {
    return addresses.contains(range(text).first);
  };
  for (const auto* const member : {"192.0.2.10", "192.0.2.20", "198.51.100.0", "198.51.100.255",
                                   "2001:db8:1::", "2001:db8:1:0:ffff:ffff:ffff:ffff"}) {
    INFO(member);
    CHECK(contains(member));
  }
  for (const auto* const stranger :
       {"192.0.2.9", "192.0.2.21", "198.51.99.255", "198.51.101.0", "0.0.0.0", "255.255.255.255",
        "2001:db8:1:1::", "::", "2001:db8:0:ffff::"}) {
    INFO(stranger);
    CHECK_FALSE(contains(stranger));
  }
  CHECK_FALSE(AddressSet{}.contains(range("::").first));
}

TEST_CASE("sets know containment, intersection and their families") {
  const auto outer = set({"192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"});
  CHECK(outer.contains(set({"192.0.2.1", "198.51.100.0/25", "2001:db8::1"})));
  CHECK(outer.contains(AddressSet{}));
  CHECK(outer.contains(outer));
  CHECK_FALSE(outer.contains(set({"192.0.2.1", "203.0.113.1"})));
  CHECK_FALSE(outer.contains(set({"192.0.2.255-192.0.3.0"})));
  CHECK_FALSE(AddressSet{}.contains(outer));
  CHECK(outer.intersects(set({"192.0.2.255-192.0.3.0"})));
  CHECK(outer.intersects(set({"10.0.0.0/8", "2001:db8:ffff::/48"})));
  CHECK_FALSE(outer.intersects(set({"192.0.3.0/24", "2001:db9::/32"})));
  CHECK_FALSE(outer.intersects(AddressSet{}));
  CHECK((outer.has(Family::V4) && outer.has(Family::V6)));
  CHECK_FALSE(set({"::/0"}).has(Family::V4));
  CHECK_FALSE(set({"0.0.0.0/0"}).has(Family::V6));
  CHECK_FALSE(AddressSet{}.has(Family::V4));
}

TEST_CASE("what is added to a set or taken out of it is all that changes") {
  constexpr std::uint32_t kAddresses = 24;  // of each family
  std::mt19937 random(1);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto address = [](std::uint32_t number) {
    return number < kAddresses ? Address::v4(number) : Address::v6(0, number - kAddresses);
  };
  const auto random_range = [&] {
    const std::uint32_t family = below(2) * kAddresses;
    const std::uint32_t first = below(kAddresses);
    const std::uint32_t last = first + below(std::min(kAddresses - first, 6U));
    return std::pair(family + first, family + last);
  };
  for (int round = 0; round < 300; ++round) {
    AddressSet set;
    std::vector<bool> expected(std::size_t{2} * kAddresses);
    for (int edit = 0; edit < 12; ++edit) {
      const bool add = below(3) != 0;
      std::vector<AddressRange> ranges;
      for (std::uint32_t left = add ? below(4) : 1; left > 0; --left) {
        const auto [first, last] = random_range();
        ranges.push_back({address(first), address(last)});
        std::fill(expected.begin() + first, expected.begin() + last + 1, add);
      }
      set = add ? set.with(ranges) : set.without(ranges[0]);
      std::vector<AddressRange> members;
      for (std::uint32_t i = 0; i < expected.size(); ++i) {
        if (expected[i]) members.push_back({address(i), address(i)});
      }
      REQUIRE(set == AddressSet(members));
    }
  }
}
