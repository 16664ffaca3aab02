#include "rules/classifier/address_index.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "rules/classifier/shape.h"

namespace rules::classifier {

// The table's places are far apart: each is fetched while those before it are filled.
constexpr std::size_t kAhead = 16;

template <typename F>
Members<F>::Members(const AddressSet& set) {
  const auto ranges = set.ranges(F::kFamily);
  const std::size_t singles = set.singles(F::kFamily);
  firsts_.reserve(ranges.size() - singles);
  lasts_.reserve(ranges.size() - singles);
  // Never full: a search ends at a free place.
  if (singles != 0) table_.resize(std::bit_ceil(singles + singles / 2 + 1));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i + kAhead < ranges.size() && !table_.empty())
      __builtin_prefetch(&table_[place(F::number(ranges[i + kAhead].first))]);
    const AddressRange range = ranges[i];
    if (range.first == range.last) {
      add_single(F::number(range.first));
    } else {
      firsts_.push_back(F::number(range.first));
      lasts_.push_back(F::number(range.last));
    }
  }
}

template <typename F>
std::size_t Members<F>::place(Number number) const noexcept {
  return mix(fold(number)) & (table_.size() - 1);
}

template <typename F>
void Members<F>::add_single(Number number) {
  if (number == 0) {
    has_zero_ = true;
    return;
  }
  std::size_t at = place(number);
  while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
  table_[at] = number;
}

template <typename F>
bool Members<F>::is_single(Number number) const noexcept {
  if (number == 0) return has_zero_;
  if (table_.empty()) return false;
  std::size_t at = place(number);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at] == number) return true;
  }
  return false;
}

template <typename F>
bool Members<F>::in_range(Number number) const noexcept {
  const auto after = std::upper_bound(firsts_.begin(), firsts_.end(), number);
  if (after == firsts_.begin()) return false;
  return number <= lasts_[static_cast<std::size_t>(after - firsts_.begin()) - 1];
}

template <typename F>
std::size_t Members<F>::memory_bytes() const noexcept {
  return (table_.capacity() + firsts_.capacity() + lasts_.capacity()) * sizeof(Number);
}

template class Members<V4>;
template class Members<V6>;

AddressIndex::AddressIndex(std::shared_ptr<const AddressSet> set, Lookup lookup) {
  if (lookup == Lookup::Search) {
    searched_ = std::move(set);
    return;
  }
  v4_ = Members<V4>(*set);
  v6_ = Members<V6>(*set);
}

std::shared_ptr<const AddressIndex> AddressIndexes::of(
    const std::shared_ptr<const AddressSet>& set) {
  auto& known = known_[set];
  if (auto index = known.lock()) return index;
  auto index = std::make_shared<const AddressIndex>(set, lookup_);
  known = index;
  std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
  return index;
}

}  // namespace rules::classifier
