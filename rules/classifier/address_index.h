// Membership in a set of addresses of any size, for rules that aren't cut into one entry for each member: a hash table of
// the single addresses, and the ranges in order. One for each set, shared by all rules that name it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "rules/address.h"
#include "rules/classifier/entry.h"

namespace rules::classifier {

template <typename F>
class Members {
 public:
  using Number = typename F::Number;

  Members() = default;
  explicit Members(const AddressSet& set);
  // Of a set that differs by that; nothing where the table would have another size.
  std::optional<Members> with(const AddressSet::Difference& change) const;

  bool has(Number number) const noexcept { return is_single(number) || in_range(number); }
  std::size_t memory_bytes() const noexcept;

 private:
  bool is_single(Number number) const noexcept;
  bool in_range(Number number) const noexcept;
  std::size_t place(Number number) const noexcept;  // where a search for it begins
  void add(const AddressRange& range);
  void remove(const AddressRange& range);
  void add_single(Number number);
  void remove_single(Number number);

  std::vector<Number> table_;  // open addressing, a power of two; 0 is a free place
  std::size_t singles_ = 0;
  bool has_zero_ = false;
  std::vector<Number> firsts_;
  std::vector<Number> lasts_;
};

// How a set is looked into: by a table made of it, or as it is, which costs nothing beforehand.
enum class Lookup : std::uint8_t { Table, Search };

class AddressIndex {
 public:
  AddressIndex(std::shared_ptr<const AddressSet> set, Lookup lookup);
  // By table, of a set that differs by that; null where all of it would have to be made anew.
  std::shared_ptr<const AddressIndex> with(const AddressSet::Difference& change) const;

  bool has(V4::Number number) const noexcept {
    return searched_ ? searched_->contains(V4::address(number)) : v4_.has(number);
  }
  bool has(V6::Number number) const noexcept {
    return searched_ ? searched_->contains(V6::address(number)) : v6_.has(number);
  }
  std::size_t memory_bytes() const noexcept { return v4_.memory_bytes() + v6_.memory_bytes(); }

 private:
  AddressIndex(Members<V4> v4, Members<V6> v6) : v4_{std::move(v4)}, v6_{std::move(v6)} {}

  std::shared_ptr<const AddressSet> searched_;
  Members<V4> v4_;
  Members<V6> v6_;
};

// The indices in use, each made when a set is first asked for: of a large one from that of a set which is nearly the same, if there is one.
class AddressIndexes {
 public:
  explicit AddressIndexes(Lookup lookup = Lookup::Table) : lookup_{lookup} {}

  std::shared_ptr<const AddressIndex> of(const std::shared_ptr<const AddressSet>& set);

 private:
  std::shared_ptr<const AddressIndex> follow(const AddressSet& set) const;

  Lookup lookup_;
  std::map<std::weak_ptr<const AddressSet>, std::weak_ptr<const AddressIndex>, std::owner_less<>>
      known_;
};

}  // namespace rules::classifier
