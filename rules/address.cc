#include "rules/address.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <iterator>
#include <span>

#include <fmt/format.h>

namespace rules {
namespace {

// An address as one number, so that arithmetic doesn't care about the family.
__extension__ using Number = unsigned __int128;

constexpr std::size_t kGroups = 8;  // of 16 bits, in an IPv6 address

constexpr unsigned width(Family family) {
  return family == Family::V4 ? 32 : 128;
}

Number to_number(const Address& address) {
  return Number{address.high} << 64U | address.low;
}

Address to_address(Family family, Number number) {
  return {family, static_cast<std::uint64_t>(number >> 64U), static_cast<std::uint64_t>(number)};
}

// The lowest `bits` bits set; bits <= 128.
Number low_mask(unsigned bits) {
  return bits == 128 ? ~Number{0} : (Number{1} << bits) - 1;
}

unsigned trailing_zeros(Number number) {
  const auto low = static_cast<std::uint64_t>(number);
  const auto high = static_cast<std::uint64_t>(number >> 64U);
  return static_cast<unsigned>(low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(high));
}

// All of `text` as digits of that base: no sign, no space, at most `max_digits`.
std::optional<std::uint32_t> parse_digits(std::string_view text, int base, std::size_t max_digits) {
  std::uint32_t value = 0;
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Decimal without leading zeros, which some would read as octal.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) {
  const auto value = parse_digits(text, 10, 3);
  if (!value || *value > max || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return value;
}

struct Groups {
  std::array<std::uint16_t, kGroups> values{};
  std::size_t count = 0;

  bool add(std::uint32_t value) {
    if (count == kGroups) return false;
    values[count++] = static_cast<std::uint16_t>(value);
    return true;
  }
};

// Groups between single colons; an empty text has none. A dotted quad may stand last if
// `quad_allowed`.
std::optional<Groups> parse_groups(std::string_view text, bool quad_allowed) {
  Groups groups;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && quad_allowed && part.find('.') != std::string_view::npos) {
      const auto quad = parse_v4(part);
      if (!quad || !groups.add(*quad >> 16U) || !groups.add(*quad & 0xffffU)) return std::nullopt;
      return groups;
    }
    const auto value = parse_digits(part, 16, 4);
    if (!value || !groups.add(*value)) return std::nullopt;
    if (last) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
  }
  return groups;
}

Address from_groups(const Groups& head, const Groups& tail) {
  Number number = 0;
  for (std::size_t at = 0; at < kGroups; ++at) {
    const std::size_t from_end = kGroups - at;
    const std::uint16_t group = at < head.count          ? head.values[at]
                                : from_end <= tail.count ? tail.values[tail.count - from_end]
                                                         : std::uint16_t{0};
    number = number << 16U | group;
  }
  return to_address(Family::V6, number);
}

std::optional<Address> parse_v6(std::string_view text) {
  const auto gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, gap), !has_gap);
  const auto tail = parse_groups(has_gap ? text.substr(gap + 2) : "", true);
  if (!head || !tail) return std::nullopt;
  const std::size_t count = head->count + tail->count;
  // "::" stands for at least one group.
  if (has_gap ? count >= kGroups : count != kGroups) return std::nullopt;
  return from_groups(*head, *tail);
}

struct Run {
  std::size_t first = 0;
  std::size_t length = 0;
};

// RFC 5952, 4.2: the longest run of zero groups, the first of equals, and never a single one.
Run longest_zero_run(const std::array<std::uint16_t, kGroups>& groups) {
  Run best;
  Run current;
  for (std::size_t at = 0; at < groups.size(); ++at) {
    current = groups[at] != 0 ? Run{at + 1, 0} : Run{current.first, current.length + 1};
    if (current.length > best.length) best = current;
  }
  return best.length > 1 ? best : Run{};
}

// Without a formatter: a policy may have a million of them.
std::string print_v4(std::uint64_t low) {
  std::array<char, 16> text;
  char* at = text.data();
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    at = std::to_chars(at, text.end(), low >> shift & 0xffU).ptr;
    *at++ = '.';
  }
  return {text.data(), at - 1};
}

std::string print_v6(const Address& address) {
  // RFC 5952, 5: mixed notation where the prefix says that an IPv4 address is embedded.
  if (address.high == 0 && address.low >> 32U == 0xffffU) {
    return "::ffff:" + print_v4(address.low & 0xffffffffU);
  }
  std::array<std::uint16_t, kGroups> groups{};
  const Number number = to_number(address);
  for (std::size_t at = 0; at < kGroups; ++at) {
    groups[at] = static_cast<std::uint16_t>(number >> (112 - 16 * at));
  }
  const Run gap = longest_zero_run(groups);
  const auto middle = groups.begin() + static_cast<std::ptrdiff_t>(gap.first);
  if (gap.length == 0) return fmt::format("{:x}", fmt::join(groups, ":"));
  return fmt::format(
      "{:x}::{:x}", fmt::join(groups.begin(), middle, ":"),
      fmt::join(middle + static_cast<std::ptrdiff_t>(gap.length), groups.end(), ":"));
}

std::optional<AddressRange> parse_prefix(std::string_view address_text,
                                         std::string_view bits_text) {
  const auto address = parse_address(address_text);
  if (!address) return std::nullopt;
  const auto bits = parse_decimal(bits_text, width(address->family));
  if (!bits) return std::nullopt;
  const auto range = prefix_range(*address, *bits);
  if (range.first != *address) return std::nullopt;
  return range;
}

std::optional<AddressRange> parse_ends(std::string_view first_text, std::string_view last_text) {
  const auto first = parse_address(first_text);
  const auto last = parse_address(last_text);
  if (!first || !last || first->family != last->family || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

// Sorts ranges of one family, and makes one of those that overlap or follow each other without a gap.
template <typename Range, typename NumberOf>
void merge(std::vector<Range>& ranges, NumberOf number) {
  if (!std::ranges::is_sorted(ranges)) std::ranges::sort(ranges);
  std::size_t merged = 0;  // so many come of those that were looked at
  for (const Range& range : ranges) {
    Range* const before = merged > 0 ? &ranges[merged - 1] : nullptr;
    if (before != nullptr &&
        (range.first <= before->last || number(range.first) == number(before->last) + 1)) {
      before->last = std::max(before->last, range.last);
    } else {
      ranges[merged++] = range;
    }
  }
  ranges.resize(merged);
}

// Both are sorted, and touching ranges are merged: one of `mine` has to hold each of `theirs`.
bool contain(const auto& mine, const auto& theirs) {
  auto at = mine.begin();
  for (const auto& range : theirs) {
    while (at != mine.end() && at->last < range.first) ++at;
    if (at == mine.end() || range.first < at->first || at->last < range.last) return false;
  }
  return true;
}

// Of two sorted lists. Most of both is the same, and there may be a million of them.
template <typename Range>
void compare(std::span<const Range> before, std::span<const Range> wanted, auto lost, auto gained) {
  auto [old_at, new_at] = std::ranges::mismatch(before, wanted);
  auto old_end = before.end();
  auto new_end = wanted.end();
  while (old_at != old_end && new_at != new_end && old_end[-1] == new_end[-1]) {
    --old_end;
    --new_end;
  }
  while (old_at != old_end || new_at != new_end) {
    if (new_at == new_end || (old_at != old_end && *old_at < *new_at)) {
      if (!lost(*old_at++)) return;
    } else if (old_at == old_end || *new_at < *old_at) {
      if (!gained(*new_at++)) return;
    } else {
      ++old_at;
      ++new_at;
    }
  }
}

}  // namespace

// Digit by digit, and without leading zeros, which some would read as octal.
std::optional<std::uint32_t> parse_v4(std::string_view text) {
  constexpr std::uint32_t kNone = 256;  // no digit of the part has come yet
  std::uint32_t address = 0;
  std::uint32_t part = kNone;
  unsigned dots = 0;
  for (const char c : text) {
    const std::uint32_t digit = static_cast<unsigned char>(c) - std::uint32_t{'0'};
    if (digit <= 9) {
      if (part == 0) return std::nullopt;
      part = part == kNone ? digit : part * 10 + digit;
      if (part > 255) return std::nullopt;
    } else {
      if (c != '.' || part == kNone || ++dots > 3) return std::nullopt;
      address = address << 8U | part;
      part = kNone;
    }
  }
  if (dots != 3 || part == kNone) return std::nullopt;
  return address << 8U | part;
}

std::optional<Address> parse_address(std::string_view text) {
  if (const auto quad = parse_v4(text)) return Address::v4(*quad);
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  return std::nullopt;
}

std::optional<AddressRange> parse_range(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    return parse_prefix(text.substr(0, slash), text.substr(slash + 1));
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    return parse_ends(text.substr(0, dash), text.substr(dash + 1));
  }
  const auto address = parse_address(text);
  if (!address) return std::nullopt;
  return AddressRange{*address, *address};
}

AddressRange prefix_range(const Address& address, unsigned bits) {
  const Number host = low_mask(width(address.family) - bits);
  const Number number = to_number(address);
  return {to_address(address.family, number & ~host), to_address(address.family, number | host)};
}

std::optional<unsigned> prefix_length(const AddressRange& range) {
  const Number differing = to_number(range.first) ^ to_number(range.last);
  const unsigned host_bits = trailing_zeros(~differing);
  const bool aligned = (to_number(range.first) & differing) == 0;
  if (!aligned || differing != low_mask(host_bits)) return std::nullopt;
  return width(range.first.family) - host_bits;
}

std::vector<AddressRange> to_prefixes(const AddressRange& range) {
  std::vector<AddressRange> prefixes;
  const Family family = range.first.family;
  const Number last = to_number(range.last);
  Number first = to_number(range.first);
  while (true) {
    // The largest block that starts here and doesn't reach beyond the end.
    unsigned bits = std::min(first == 0 ? width(family) : trailing_zeros(first), width(family));
    while (low_mask(bits) > last - first) --bits;
    const Number block_last = first + low_mask(bits);
    prefixes.push_back({to_address(family, first), to_address(family, block_last)});
    if (block_last == last) return prefixes;
    first = block_last + 1;
  }
}

std::string to_string(const Address& address) {
  return address.family == Family::V4 ? print_v4(address.low) : print_v6(address);
}

std::string to_string(const AddressRange& range) {
  if (range.first == range.last) return to_string(range.first);
  if (const auto bits = prefix_length(range)) {
    return fmt::format("{}/{}", to_string(range.first), *bits);
  }
  return fmt::format("{}-{}", to_string(range.first), to_string(range.last));
}

void AddressSet::Builder::add(const AddressRange& range) {
  const auto& [first, last] = range;
  if (first.family == Family::V4) {
    v4_.push_back({static_cast<std::uint32_t>(first.low), static_cast<std::uint32_t>(last.low)});
  } else {
    v6_.push_back({{first.high, first.low}, {last.high, last.low}});
  }
}

void AddressSet::Builder::add(const AddressSet& set, std::size_t begin, std::size_t end) {
  const std::size_t v4 = set.v4_.size();
  v4_.insert(v4_.end(), set.v4_.begin() + std::min(begin, v4), set.v4_.begin() + std::min(end, v4));
  if (end <= v4) return;
  const auto v6 = std::span(*set.v6_).subspan(std::max(begin, v4) - v4, end - std::max(begin, v4));
  v6_.insert(v6_.end(), v6.begin(), v6.end());
}

AddressSet AddressSet::Builder::build() && {
  const auto v4_number = [](std::uint32_t address) { return std::uint64_t{address}; };
  const auto v6_number = [](const V6Number& address) {
    return Number{address.high} << 64U | address.low;
  };
  merge(v4_, v4_number);
  merge(v6_, v6_number);
  AddressSet set;
  set.v4_ = v4_;
  if (!v6_.empty()) set.v6_ = std::move(v6_);
  return set;
}

AddressSet::AddressSet(const std::vector<AddressRange>& ranges) {
  Builder builder;
  builder.reserve(ranges.size());
  for (const AddressRange& range : ranges) builder.add(range);
  *this = std::move(builder).build();
}

std::optional<AddressSet::Difference> AddressSet::difference(const AddressSet& wanted,
                                                             std::size_t most) const {
  Difference difference;
  bool few = true;
  const auto note = [&](std::vector<AddressRange>& to) {
    return [&](const auto& one) {
      few = difference.lost.size() + difference.gained.size() < most;
      if (few) to.push_back(range(one));
      return few;
    };
  };
  const auto v6 = [](const AddressSet& set) {
    return set.v6_ ? std::span<const V6Range>(*set.v6_) : std::span<const V6Range>();
  };
  compare<V4Range>(v4_, wanted.v4_, note(difference.lost), note(difference.gained));
  if (few) compare(v6(*this), v6(wanted), note(difference.lost), note(difference.gained));
  return few ? std::optional(std::move(difference)) : std::nullopt;
}

AddressSet AddressSet::with(std::vector<AddressRange> more) const {
  std::ranges::sort(more);
  const auto ours = ranges();
  Builder builder;
  builder.reserve(v4_.size() + more.size());
  std::size_t at = 0;
  for (const AddressRange& range : more) {
    const auto behind = std::ranges::upper_bound(ours, range);
    const auto next = static_cast<std::size_t>(behind - ours.begin());
    builder.add(*this, at, next);
    builder.add(range);
    at = next;
  }
  builder.add(*this, at, size());
  return std::move(builder).build();
}

AddressSet AddressSet::without(const AddressRange& range) const {
  const auto ours = ranges();
  const auto first = std::ranges::lower_bound(ours, range.first, {}, &AddressRange::last);
  const auto behind = std::ranges::upper_bound(ours, range.last, {}, &AddressRange::first);
  const auto index = [&](auto one) { return static_cast<std::size_t>(one - ours.begin()); };
  Builder builder;
  builder.reserve(v4_.size() + 1);
  builder.add(*this, 0, index(first));
  for (const AddressRange& one : std::ranges::subrange(first, behind)) {
    if (one.first < range.first)
      builder.add({one.first, to_address(range.first.family, to_number(range.first) - 1)});
    if (range.last < one.last)
      builder.add({to_address(range.last.family, to_number(range.last) + 1), one.last});
  }
  builder.add(*this, index(behind), size());
  return std::move(builder).build();
}

std::size_t AddressSet::singles(Family family) const {
  const auto count = [](const auto& ranges) {
    return std::ranges::count_if(ranges, [](const auto& one) { return one.first == one.last; });
  };
  if (family == Family::V4) return static_cast<std::size_t>(count(v4_));
  return v6_ ? static_cast<std::size_t>(count(*v6_)) : 0;
}

bool AddressSet::contains(const Address& address) const {
  const auto among = ranges(address.family);
  const auto after = std::ranges::upper_bound(among, address, {}, &AddressRange::first);
  return after != among.begin() && (*std::ranges::prev(after)).contains(address);
}

bool AddressSet::contains(const AddressSet& other) const {
  if (!contain(v4_, other.v4_)) return false;
  if (!other.v6_) return true;
  return v6_ && contain(*v6_, *other.v6_);
}

bool AddressSet::intersects(const AddressSet& other) const {
  const auto ours = ranges();
  const auto others = other.ranges();
  auto mine = ours.begin();
  auto theirs = others.begin();
  while (mine != ours.end() && theirs != others.end()) {
    if ((*mine).first <= (*theirs).last && (*theirs).first <= (*mine).last) return true;
    if ((*mine).last < (*theirs).last) {
      ++mine;
    } else {
      ++theirs;
    }
  }
  return false;
}

}  // namespace rules
