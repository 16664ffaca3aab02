#include "rules/classifier/address_index.h"

#include <algorithm>
#include <bit>

#include "rules/classifier/shape.h"

namespace rules::classifier {

template <typename F>
Members<F>::Members(const AddressSet& set) {
  std::size_t singles = 0;
  for (const AddressRange& range : set.ranges(F::kFamily)) {
    if (range.first == range.last) {
      ++singles;
    } else {
      firsts_.push_back(F::number(range.first));
      lasts_.push_back(F::number(range.last));
    }
  }
  firsts_.shrink_to_fit();
  lasts_.shrink_to_fit();
  if (singles == 0) return;
  table_.resize(
      std::bit_ceil(singles + singles / 2 + 1));  // never full: a search ends at a free place
  for (const AddressRange& range : set.ranges(F::kFamily)) {
    if (range.first == range.last) add_single(F::number(range.first));
  }
}

template <typename F>
void Members<F>::add_single(Number number) {
  if (number == 0) {
    has_zero_ = true;
    return;
  }
  std::size_t at = mix(fold(number)) & (table_.size() - 1);
  while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
  table_[at] = number;
}

template <typename F>
bool Members<F>::is_single(Number number) const noexcept {
  if (number == 0) return has_zero_;
  if (table_.empty()) return false;
  std::size_t at = mix(fold(number)) & (table_.size() - 1);
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

std::shared_ptr<const AddressIndex> AddressIndexes::of(
    const std::shared_ptr<const AddressSet>& set) {
  auto& known = known_[set];
  if (auto index = known.lock()) return index;
  auto index = std::make_shared<const AddressIndex>(*set);
  known = index;
  std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
  return index;
}

}  // namespace rules::classifier
