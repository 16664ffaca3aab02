// IP addresses, prefixes and ranges, and ordered sets of them. Everything is in host byte order: an address
// is one 128-bit number, of which IPv4 uses the low 32 bits. The family is always explicit, so an
// IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) never matches an IPv4 rule.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "rules/short_list.h"
#include "rules/sparse.h"

namespace rules {

enum class Family : std::uint8_t { V4, V6 };

struct Address {
  Family family = Family::V4;
  std::uint64_t high = 0;  // IPv6: the first 64 bits. IPv4: zero.
  std::uint64_t low = 0;   // IPv6: the last 64 bits. IPv4: the address.

  static Address v4(std::uint32_t host_order) { return {Family::V4, 0, host_order}; }
  static Address v6(std::uint64_t high, std::uint64_t low) { return {Family::V6, high, low}; }

  // All of IPv4 sorts before all of IPv6.
  auto operator<=>(const Address&) const = default;
};

// Inclusive at both ends, both of one family, first <= last.
struct AddressRange {
  Address first;
  Address last;

  bool contains(const Address& address) const { return first <= address && address <= last; }
  auto operator<=>(const AddressRange&) const = default;
};

// Text as in RFC 4291 / RFC 5952, without a prefix length; nothing else is accepted (no octal, no short IPv4).
std::optional<Address> parse_address(std::string_view text);

// An IPv4 address only, in host byte order: for who has a million of them.
std::optional<std::uint32_t> parse_v4(std::string_view text);

// "192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9" and the same for IPv6. Host bits below a prefix are an error
// for the caller to report; `parse_range` returns nothing for them.
std::optional<AddressRange> parse_range(std::string_view text);

// The range of all addresses that share the first `bits` bits with `address`. bits <= 32 for IPv4, <= 128 for IPv6.
AddressRange prefix_range(const Address& address, unsigned bits);

// The prefix length if the range is exactly one prefix (a single address is /32 or /128).
std::optional<unsigned> prefix_length(const AddressRange& range);

// The fewest prefixes that cover exactly this range, in order.
std::vector<AddressRange> to_prefixes(const AddressRange& range);

std::string to_string(const Address& address);  // RFC 5952
// Address, prefix or first-last: the shortest that is exact.
std::string to_string(const AddressRange& range);

// An immutable union of ranges: sorted, disjoint, merged where they touch. Eight bytes for a range of IPv4 addresses,
// 32 for one of IPv6.
class AddressSet {
  struct V4Range {
    std::uint32_t first;
    std::uint32_t last;

    auto operator<=>(const V4Range&) const = default;
  };
  struct V6Number {
    std::uint64_t high;
    std::uint64_t low;

    auto operator<=>(const V6Number&) const = default;
  };
  struct V6Range {
    V6Number first;
    V6Number last;

    auto operator<=>(const V6Range&) const = default;
  };

  auto part(std::size_t begin, std::size_t end) const {
    return std::views::iota(begin, end) |
           std::views::transform([this](std::size_t index) { return range(index); });
  }

 public:
  // Takes ranges in any order, and no more memory for them than the set itself.
  class Builder {
   public:
    void reserve(std::size_t v4_ranges) { v4_.reserve(v4_ranges); }
    void add(const AddressRange& range);
    void add(std::uint32_t v4) { v4_.push_back({v4, v4}); }
    void add(const AddressSet& set, std::size_t begin, std::size_t end);  // of its ranges()
    AddressSet build() &&;

   private:
    std::vector<V4Range> v4_;
    std::vector<V6Range> v6_;
  };

  AddressSet() = default;
  explicit AddressSet(const std::vector<AddressRange>& ranges);

  // What `wanted` has lost and gained against this set, in order; nothing if that is more than so many ranges.
  struct Difference {
    std::vector<AddressRange> lost = {};
    std::vector<AddressRange> gained = {};
  };
  std::optional<Difference> difference(const AddressSet& wanted, std::size_t most) const;

  AddressSet with(std::vector<AddressRange> more) const;
  AddressSet without(const AddressRange& range) const;

  bool contains(const Address& address) const;
  bool contains(const AddressSet& other) const;  // every member of other is a member of this
  bool intersects(const AddressSet& other) const;
  bool empty() const { return size() == 0; }
  std::size_t size() const { return v4_.size() + (v6_ ? v6_->size() : 0); }  // ranges
  bool has(Family family) const { return family == Family::V4 ? !v4_.empty() : bool{v6_}; }
  std::size_t singles(Family family) const;  // ranges of one address

  // In order, each made when it is asked for. Iterators are those of the view: it has to be kept as long as they are.
  auto ranges() const { return part(0, size()); }
  auto ranges(std::size_t first, std::size_t count) const {  // as many of these as there are
    return part(std::min(first, size()), std::min(first + count, size()));
  }
  auto ranges(Family family) const {
    return family == Family::V4 ? part(0, v4_.size()) : part(v4_.size(), size());
  }

  bool operator==(const AddressSet&) const = default;

 private:
  static AddressRange range(const V4Range& one) {
    return {Address::v4(one.first), Address::v4(one.last)};
  }
  static AddressRange range(const V6Range& one) {
    const auto& [first, last] = one;
    return {Address::v6(first.high, first.low), Address::v6(last.high, last.low)};
  }
  AddressRange range(std::size_t index) const {
    return index < v4_.size() ? range(v4_[index]) : range((*v6_)[index - v4_.size()]);
  }

  ShortList<V4Range> v4_;
  Sparse<std::vector<V6Range>> v6_;  // absent where it would be empty
};

}  // namespace rules
