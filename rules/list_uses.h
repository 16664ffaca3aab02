// Which of the policy's sets the rules of a plan look into, while one policy takes the place of another.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rules/kernel_plan.h"

namespace rules {

class ListUses {
 public:
  explicit ListUses(std::map<std::string, UsedList>& lists) : lists_(lists) {}

  // Of a side of the next policy's.
  const Kinds& kinds_of(const AddressMatch& side);
  // Whether a rule with the one side in place of the other is cut into the same pieces.
  bool same_pieces(const AddressMatch& before, const AddressMatch& wanted);

  // That a rule comes with these sides.
  void expect(const Match& match);
  void release(const Match& match, const std::vector<MemberSet>& own_sets);
  // From now on lists have the members that kinds_of() has seen.
  void take_members();
  void acquire(const Match& match, const std::vector<MemberSet>& own_sets);
  void tell(PlanChange& change);

 private:
  struct Next {
    std::shared_ptr<const AddressSet> members;
    Kinds kinds;
    std::array<MemberChange, 4> changes = {};
  };

  void remember(const std::string& name);
  void tell_list(const std::string& name, const Kinds& before, PlanChange& change);
  void tell_own(PlanChange& change);

  std::map<std::string, UsedList>& lists_;
  std::map<std::string, Next> next_;     // lists with other members, or new ones
  std::map<std::string, Kinds> before_;  // of lists that are looked at
  std::map<std::string, MemberSet> own_lost_;
  std::map<std::string, MemberSet> own_gained_;
};

}  // namespace rules
