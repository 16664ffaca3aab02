// The rules of one direction, compiled: a classifier, and what each of its slots comes to. Immutable; but sides that
// were made from one another by one rule more or less share their classifier, and only the youngest can be followed
// by another.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/classifier/classifier.h"
#include "rules/rule_set.h"

namespace rules {

// The interfaces that rules mention, numbered; kOtherInterface has no name.
class InterfaceNames {
 public:
  InterfaceId number(const std::string& name);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_{""};
  std::map<std::string, InterfaceId> numbers_;
};

class RuleSide {
 public:
  RuleSide(const Policy& policy, Direction direction, InterfaceNames& names,
           std::shared_ptr<classifier::AddressIndexes> sets);

  Decision classify(const Packet& packet, InterfaceId interface) const noexcept {
    return decision(version_->first_match(packet, interface));
  }
  // As many of each, at most classifier::kGroup of them a time go quickest.
  void classify(std::span<const classifier::Query> queries,
                std::span<classifier::Found> found) const noexcept {
    version_->first_matches(queries, found);
  }
  Decision decision(const classifier::Found& found) const noexcept {
    return found ? decisions_[found.slot] : otherwise_;
  }

  // Whether nobody has been made from this one yet.
  bool youngest() const;
  // With the rule of that index in it, of this direction, or of the other one: then only indices change.
  RuleSide with_rule(const Rule& rule, std::size_t index, InterfaceNames& names) const;
  RuleSide without_rule(const Rule& rule, std::size_t index, InterfaceNames& names) const;

  std::size_t memory_bytes() const noexcept;

 private:
  struct Shared;

  std::size_t position(std::size_t index) const;
  std::optional<classifier::Label> label_at(std::size_t position) const;
  void move_indices(std::size_t from, int by);
  void publish();

  Direction direction_;
  std::shared_ptr<Shared> shared_;
  std::uint64_t age_ = 0;  // of shared_, when this was made
  std::shared_ptr<const classifier::Version> version_;
  std::vector<classifier::Slot> slots_;  // in the order of the rules
  std::vector<Decision> decisions_;      // by slot
  Decision otherwise_;
};

}  // namespace rules
