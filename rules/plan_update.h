// One policy in place of another in a plan: finds which rules are new or gone, takes out and puts in those alone,
// and says what that changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "rules/kernel_plan.h"
#include "rules/list_uses.h"

namespace rules {

class PlanUpdate {
 public:
  PlanUpdate(PlanState& state, const Policy& policy, std::size_t many_rules)
      : state_(state), policy_(policy), many_rules_(many_rules), lists_(state.lists) {}

  PlanChange run();

 private:
  // A bucket with a piece that came or went.
  struct Touched {
    nft::Element element;
    bool was_there;
  };
  using BucketKey = std::tuple<std::size_t, Shape, std::uint64_t>;  // group, table, bucket
  // Rules of one id that come or go.
  struct Id {
    std::size_t lost = 0;
    std::size_t gained = 0;
    std::vector<std::uint32_t> copies = {};  // of those that stay
  };

  std::size_t size() const { return policy_.builtin_rules.size() + policy_.rules.size(); }
  const Rule& rule(std::size_t index) const;  // of the new policy
  RuleList::Shared shared(std::size_t index) const;
  PlannedRule planned(std::size_t index, Label label) const;
  bool same(const PlannedRule& old, std::size_t index);

  void find_window();
  std::vector<std::optional<std::size_t>> match_by_id() const;
  bool label_window();
  bool widen_window(std::size_t by);
  Label label_before() const;
  Label label_behind() const;
  void choose(const std::vector<std::optional<std::size_t>>& olds,
              const std::vector<Label>& labels);

  PlanChange build_whole(const std::vector<Label>& labels);
  std::vector<Label> all_labels() const;
  PlanChange apply();
  void take_out();
  void replace_window();
  void find_copies();
  void put_in();
  bool place_overgrown();
  bool open_table(KernelGroup& group);
  bool place(KernelGroup& group);
  void touch(const KernelGroup& group, const Place& place, const Piece& piece, const Point& point,
             bool removed);
  Point point_of(const PieceOf& of) const;
  void open_fronts();
  bool put_ahead(const PieceOf& of, Direction direction, const Piece& piece, const Point& point);
  bool take_from_front(const PieceOf& of, const Piece& piece);

  void tell_fronts(PlanChange& change);
  bool had_table(std::size_t group, const Shape& shape) const;
  void tell_buckets(PlanChange& change);
  void tell_groups(PlanChange& change);
  void tell_chain(bool was, bool is, const std::string& name, nft::Chain chain,
                  PlanChange& change) const;

  PlanState& state_;
  const Policy& policy_;
  const std::size_t many_rules_;
  ListUses lists_;

  // What differs: [begin_, old_end_) of the plan's rules and [begin_, new_end_) of the policy's.
  std::size_t begin_ = 0;
  std::size_t old_end_ = 0;
  std::size_t new_end_ = 0;
  std::vector<PlannedRule> window_;  // the policy's
  std::vector<PlannedRule> lost_;
  std::vector<std::size_t> gained_;  // indices

  std::map<RuleId, Id> ids_;
  std::vector<KernelGroup::Summary> summaries_;  // before
  std::map<BucketKey, Touched> touched_;
  std::vector<bool> touched_lists_;  // by group
  std::size_t old_fronts_ = 0;       // so many were open before
  std::map<KernelFronts::Index, PlanChange::Elements> touched_fronts_;
};

}  // namespace rules
