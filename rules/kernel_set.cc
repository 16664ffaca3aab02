#include "rules/kernel_set.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace rules {
namespace {

nft::Interval interval(const AddressRange& range) {
  return {range.first, range.last};
}

nft::Interval interval(const PortRange& range) {
  return {std::uint32_t{range.first}, std::uint32_t{range.last}};
}

}  // namespace

std::size_t Kinds::room(const MemberKind& kind) const {
  constexpr std::size_t kMany = 16'384;
  const std::size_t count = counts[kind.index()];
  return kind.ranges || count < kMany ? 0 : std::bit_ceil(count + count / 4);
}

bool Kinds::same_sets(const Kinds& other) const {
  return std::ranges::all_of(kMemberKinds, [&](const MemberKind& kind) {
    return has(kind) == other.has(kind) && room(kind) == other.room(kind);
  });
}

Kinds kinds_of(const AddressSet& members) {
  Kinds kinds;
  for (const Family family : {Family::V4, Family::V6}) {
    const std::size_t singles = members.singles(family);
    kinds.counts[MemberKind{family, false}.index()] = singles;
    kinds.counts[MemberKind{family, true}.index()] = members.ranges(family).size() - singles;
  }
  return kinds;
}

std::size_t MemberSet::size() const {
  if (!kind) return ports.size();
  return kinds_of(*addresses).counts[kind->index()];
}

void MemberSet::for_each(const std::function<void(const nft::Interval&)>& visit) const {
  for (const PortRange& range : ports) visit(interval(range));
  if (!kind) return;
  for_each_of(0, addresses->size(), [&](const AddressRange& range) { visit(interval(range)); });
}

nft::FixedSet MemberSet::with_members() const {
  nft::FixedSet set = without_members();
  for_each([&](const nft::Interval& member) { set.members.push_back(member); });
  return set;
}

MemberSet part_of(const std::string& list, const MemberKind& kind, const Kinds& kinds,
                  std::shared_ptr<const AddressSet> members) {
  const bool ipv4 = kind.family == Family::V4;
  const std::size_t room = kinds.room(kind);
  std::string name = fmt::format("{}_{}{}", list, ipv4 ? "4" : "6", kind.ranges ? "r" : "");
  if (room != 0) name += fmt::format("h{}", std::countr_zero(room));
  return {.name = std::move(name),
          .key = ipv4 ? nft::Field::Ip4Source : nft::Field::Ip6Source,
          .kind = kind,
          .addresses = std::move(members),
          .room = room};
}

std::array<MemberChange, 4> changed_members(const AddressSet& before, const AddressSet& wanted) {
  std::array<MemberChange, 4> changes;
  const auto all = before.difference(wanted, before.size() + wanted.size());
  for (const AddressRange& range : all->lost)
    changes[kind_of(range).index()].lost.push_back(interval(range));
  for (const AddressRange& range : all->gained)
    changes[kind_of(range).index()].gained.push_back(interval(range));
  return changes;
}

}  // namespace rules
