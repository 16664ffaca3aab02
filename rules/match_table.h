// The rules of one direction, in order, compiled for finding the first that matches: one dimension
// for each field, and for a packet the first bit that is set in the rows of all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "rules/dimension.h"
#include "rules/keys.h"
#include "rules/packet.h"
#include "rules/policy.h"
#include "rules/row_pool.h"
#include "rules/rule_set.h"

namespace rules {

class MatchTable {
 public:
  // Counted from 0 in the order in which rules were added.
  std::optional<std::uint32_t> first_match(const Packet& packet,
                                           InterfaceId interface) const noexcept;

  std::size_t memory_bytes() const;

 private:
  friend class MatchTableBuilder;

  struct AddressDimensions {
    Dimension<keys::Key32> v4;
    Dimension<keys::Key128> v6;
  };

  std::uint32_t rules_ = 0;
  RowPool pool_;
  AddressDimensions source_;
  AddressDimensions destination_;
  Dimension<keys::Key32> source_port_;
  Dimension<keys::Key32> destination_port_;
  Dimension<keys::Key32> protocol_;
  Dimension<keys::Key32> interface_;
  Dimension<keys::Key32> hop_limit_;
};

class MatchTableBuilder {
 public:
  // `interface` is the number of the name in `match`, if it has one. Sets of addresses must outlive
  // the builder.
  void add(const Match& match, std::optional<InterfaceId> interface);

  MatchTable build() const;

 private:
  class AddressBuilder {
   public:
    void add(const AddressMatch& match);
    MatchTable::AddressDimensions build(RowPoolBuilder& pool) const;

   private:
    struct KeySets {
      std::uint32_t v4 = 0;
      std::uint32_t v6 = 0;
    };

    DimensionBuilder<keys::Key32> v4_;
    DimensionBuilder<keys::Key128> v6_;
    // Sets can have a million members: each is converted only once.
    std::unordered_map<const AddressSet*, KeySets> known_;
  };

  std::uint32_t rules_ = 0;
  AddressBuilder source_;
  AddressBuilder destination_;
  DimensionBuilder<keys::Key32> source_port_;
  DimensionBuilder<keys::Key32> destination_port_;
  DimensionBuilder<keys::Key32> protocol_;
  DimensionBuilder<keys::Key32> interface_;
  DimensionBuilder<keys::Key32> hop_limit_;
};

}  // namespace rules
