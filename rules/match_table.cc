#include "rules/match_table.h"

#include <array>
#include <bit>
#include <utility>

namespace rules {
namespace {

constexpr std::size_t kMostDimensions = 7;  // that one packet is looked up in

// The rows found in each dimension that tells rules apart.
class FoundRows {
 public:
  template <typename Key>
  void look_up(const Dimension<Key>& dimension, Key key) {
    if (dimension.selective()) numbers_[count_++] = dimension.rows(key);
  }

  bool empty() const { return count_ == 0; }

  // The first bit set in all of them, counted from the first rule of part `part`.
  std::optional<std::size_t> first_common(const RowPool& pool, std::size_t part) const {
    std::array<const Row*, kMostDimensions> rows;
    std::array<const Block*, kMostDimensions> blocks;
    std::uint32_t occupied = ~0U;
    for (std::size_t at = 0; at < count_; ++at) {
      rows[at] = &pool.rows[numbers_[at][part]];
      occupied &= rows[at]->occupied;
    }
    for (; occupied != 0; occupied &= occupied - 1) {
      const auto place = static_cast<std::size_t>(std::countr_zero(occupied));
      for (std::size_t at = 0; at < count_; ++at)
        blocks[at] = &pool.blocks[rows[at]->blocks[place]];
      if (const auto bit = first_common(blocks)) return place * kBlockRules + *bit;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::size_t> first_common(
      const std::array<const Block*, kMostDimensions>& blocks) const {
    for (std::size_t word = 0; word < kBlockWords; ++word) {
      std::uint64_t common = blocks[0]->words[word];
      for (std::size_t at = 1; at < count_; ++at) common &= blocks[at]->words[word];
      if (common != 0)
        return word * kWordRules + static_cast<std::size_t>(std::countr_zero(common));
    }
    return std::nullopt;
  }

  std::array<const std::uint32_t*, kMostDimensions> numbers_;
  std::size_t count_ = 0;
};

}  // namespace

std::optional<std::uint32_t> MatchTable::first_match(const Packet& packet,
                                                     InterfaceId interface) const noexcept {
  FoundRows found;
  if (packet.family() == Family::V4) {
    found.look_up(source_.v4, keys::v4(packet.source));
    found.look_up(destination_.v4, keys::v4(packet.destination));
  } else {
    found.look_up(source_.v6, keys::v6(packet.source));
    found.look_up(destination_.v6, keys::v6(packet.destination));
  }
  found.look_up(source_port_, keys::port(packet, packet.source_port));
  found.look_up(destination_port_, keys::port(packet, packet.destination_port));
  found.look_up(protocol_, keys::protocol(packet));
  found.look_up(interface_, keys::Key32{std::to_underlying(interface)});
  found.look_up(hop_limit_, keys::Key32{packet.hop_limit});

  if (found.empty()) return rules_ > 0 ? std::optional{0U} : std::nullopt;
  for (std::size_t part = 0; part * kRowRules < rules_; ++part) {
    if (const auto rule = found.first_common(pool_, part)) {
      return static_cast<std::uint32_t>(part * kRowRules + *rule);
    }
  }
  return std::nullopt;
}

std::size_t MatchTable::memory_bytes() const {
  std::size_t sum = pool_.memory_bytes();
  for (const auto* side : {&source_, &destination_}) {
    sum += side->v4.memory_bytes() + side->v6.memory_bytes();
  }
  for (const auto* dimension :
       {&source_port_, &destination_port_, &protocol_, &interface_, &hop_limit_}) {
    sum += dimension->memory_bytes();
  }
  return sum;
}

void MatchTableBuilder::AddressBuilder::add(const AddressMatch& match) {
  const auto [known, is_new] = known_.try_emplace(match.members.get());
  if (is_new) known->second = {v4_.key_set(keys::v4(match)), v6_.key_set(keys::v6(match))};
  v4_.add(known->second.v4);
  v6_.add(known->second.v6);
}

MatchTable::AddressDimensions MatchTableBuilder::AddressBuilder::build(RowPoolBuilder& pool) const {
  return {v4_.build(pool), v6_.build(pool)};
}

void MatchTableBuilder::add(const Match& match, std::optional<InterfaceId> interface) {
  ++rules_;
  source_.add(match.source);
  destination_.add(match.destination);
  source_port_.add(source_port_.key_set(keys::ports(match.source_ports)));
  destination_port_.add(destination_port_.key_set(keys::ports(match.destination_ports)));
  protocol_.add(protocol_.key_set(keys::protocols(match.protocols)));
  interface_.add(interface_.key_set(keys::exactly(
      interface ? std::optional<keys::Key32>{std::to_underlying(*interface)} : std::nullopt)));
  hop_limit_.add(hop_limit_.key_set(keys::exactly(match.hop_limit)));
}

MatchTable MatchTableBuilder::build() const {
  MatchTable table;
  RowPoolBuilder pool;
  table.rules_ = rules_;
  table.source_ = source_.build(pool);
  table.destination_ = destination_.build(pool);
  table.source_port_ = source_port_.build(pool);
  table.destination_port_ = destination_port_.build(pool);
  table.protocol_ = protocol_.build(pool);
  table.interface_ = interface_.build(pool);
  table.hop_limit_ = hop_limit_.build(pool);
  table.pool_ = std::move(pool).take();
  return table;
}

}  // namespace rules
