// A plan's chains, maps and sets, made from what it remembers when they are asked for.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "rules/nft.h"
#include "rules/plan_state.h"

namespace rules {

// "search_input"
std::string search_chain(Direction direction);

class PlanEmitter {
 public:
  explicit PlanEmitter(const PlanState& state) : state_(state) {}

  // Of one bucket; its items must not be none.
  nft::Chain bucket(const KernelGroup& group, const Shape& shape,
                    std::span<const KernelGroup::Item> items) const;
  nft::Element element(const KernelGroup& group, const Shape& shape,
                       std::span<const KernelGroup::Item> items) const;
  nft::Chain list(const KernelGroup& group) const;
  nft::Chain way_in(const KernelGroup& group) const;  // to the tables and the list of a family
  nft::Chain search(Direction direction) const;
  static std::string list_name(const KernelGroup& group) { return group.name() + "/list"; }
  static nft::Map map(const KernelGroup& group, const Shape& shape);  // without elements
  static nft::Map map(const Front& front);                            // likewise
  static nft::Element element(const Front& front, const Piece& piece, Label label);

  void for_each_chain(const std::function<void(const nft::Chain&)>& visit) const;
  void for_each_chain_name(const std::function<void(const std::string&)>& visit) const;
  void for_each_map(const std::function<void(const nft::Map&)>& visit) const;  // without elements
  void for_each_element(
      const std::function<void(const nft::Map&, const nft::Element&)>& visit) const;
  void for_each_set(const std::function<void(const MemberSet&)>& visit) const;

 private:
  Piece piece(const PieceOf& of) const;
  nft::Rule leaf(const PieceOf& of, Direction direction, const Shape& known) const;
  static void lead_to(const KernelGroup& group, nft::Chain& chain);
  static nft::Rule look_into(const Front& front);
  // Bucket by bucket, in the order in which tables are looked into.
  using EachBucket =
      std::function<void(const KernelGroup::Table&, std::span<const KernelGroup::Item>)>;
  static void for_each_bucket(const KernelGroup& group, const EachBucket& visit);

  const PlanState& state_;
};

}  // namespace rules
