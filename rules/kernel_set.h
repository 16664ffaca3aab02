// Sets of the kernel's: of a list's members each holds one kind, so that exact addresses are a hash table and a
// change of the list's members is a change of elements.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/nft.h"
#include "rules/policy.h"

namespace rules {

struct MemberKind {
  Family family = Family::V4;
  bool ranges = false;  // else exact addresses

  bool operator==(const MemberKind&) const = default;
  unsigned index() const { return (family == Family::V6 ? 2U : 0U) + (ranges ? 0U : 1U); }
};
inline constexpr std::array<MemberKind, 4> kMemberKinds{
    {{Family::V4, true}, {Family::V4, false}, {Family::V6, true}, {Family::V6, false}}};
inline MemberKind kind_of(const AddressRange& range) {
  return {range.first.family, range.first != range.last};
}

// How many members of each kind a list has.
struct Kinds {
  std::array<std::size_t, 4> counts{};

  bool has(const MemberKind& kind) const { return counts[kind.index()] != 0; }
  // The size of the kernel's hash table for them, of which members may become some more. 0: it begins small and grows, which a
  // large one takes three times as long for (net/netfilter/nft_set_hash.c: nft_rhash, nft_hash). Ranges have no hash table.
  std::size_t room(const MemberKind& kind) const;
  // Whether their kernel sets have the same names.
  bool same_sets(const Kinds& other) const;
};
Kinds kinds_of(const AddressSet& members);

// Of a side that has a name.
using NamedKinds = std::function<Kinds(const AddressMatch& side)>;

struct MemberSet {
  std::string name;
  nft::Field key = nft::Field::Ip4Source;
  std::optional<MemberKind> kind;                         // nothing: ports
  std::shared_ptr<const AddressSet> addresses = nullptr;  // of which those of the kind
  std::vector<PortRange> ports = {};
  std::size_t room = 0;  // as in Kinds

  bool ranges() const { return !kind || kind->ranges; }
  std::size_t size() const;
  // In order.
  void for_each(const std::function<void(const nft::Interval&)>& visit) const;
  // Of so many of the list's addresses from this one on, those that are of the kind. There may be a million.
  template <typename Visit>
  void for_each_of(std::size_t first, std::size_t count, const Visit& visit) const {
    for (const AddressRange& range : addresses->ranges(first, count)) {
      if (kind_of(range) == *kind) visit(range);
    }
  }
  nft::FixedSet without_members() const { return {name, key, ranges(), room}; }
  nft::FixedSet with_members() const;
};

// The list's name is followed by _4 or _6, by r for ranges, and by h and its power of two for a set that has room: one
// that outgrows it is another set.
MemberSet part_of(const std::string& list, const MemberKind& kind, const Kinds& kinds,
                  std::shared_ptr<const AddressSet> members);

// What a set has gained and lost.
struct MemberChange {
  MemberSet set;  // without members
  std::vector<nft::Interval> lost = {};
  std::vector<nft::Interval> gained = {};
};

// By kind, of the members of two lists. The sets have no names.
std::array<MemberChange, 4> changed_members(const AddressSet& before, const AddressSet& wanted);

}  // namespace rules
