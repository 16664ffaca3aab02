#include "rules/classifier/address_index.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "rules/classifier/shape.h"

namespace rules::classifier {

namespace {

bool is_single_address(const AddressRange& range) {
  return range.first == range.last;
}

// Never full: a search ends at a free place.
std::size_t places_for(std::size_t singles) {
  return singles == 0 ? 0 : std::bit_ceil(singles + singles / 2 + 1);
}

}  // namespace

// The table's places are far apart: each is fetched while those before it are filled.
constexpr std::size_t kAhead = 16;

template <typename F>
Members<F>::Members(const AddressSet& set) {
  const auto ranges = set.ranges(F::kFamily);
  const std::size_t singles = set.singles(F::kFamily);
  firsts_.reserve(ranges.size() - singles);
  lasts_.reserve(ranges.size() - singles);
  table_.resize(places_for(singles));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i + kAhead < ranges.size() && !table_.empty())
      __builtin_prefetch(&table_[place(F::number(ranges[i + kAhead].first))]);
    const AddressRange range = ranges[i];
    if (is_single_address(range)) {
      add_single(F::number(range.first));
    } else {  // in order
      firsts_.push_back(F::number(range.first));
      lasts_.push_back(F::number(range.last));
    }
  }
}

template <typename F>
std::optional<Members<F>> Members<F>::with(const AddressSet::Difference& change) const {
  const auto ours = [](const AddressRange& range) { return range.first.family == F::kFamily; };
  const auto singles = [&](const std::vector<AddressRange>& ranges) {
    return static_cast<std::size_t>(std::ranges::count_if(
        ranges, [&](const auto& range) { return ours(range) && is_single_address(range); }));
  };
  if (places_for(singles_ + singles(change.gained) - singles(change.lost)) != table_.size())
    return std::nullopt;
  Members members = *this;
  for (const AddressRange& range : change.lost)
    if (ours(range)) members.remove(range);
  for (const AddressRange& range : change.gained)
    if (ours(range)) members.add(range);
  return members;
}

template <typename F>
void Members<F>::add(const AddressRange& range) {
  const Number first = F::number(range.first);
  if (is_single_address(range)) return add_single(first);
  const auto at = std::ranges::upper_bound(firsts_, first) - firsts_.begin();
  firsts_.insert(firsts_.begin() + at, first);
  lasts_.insert(lasts_.begin() + at, F::number(range.last));
}

template <typename F>
void Members<F>::remove(const AddressRange& range) {
  const Number first = F::number(range.first);
  if (is_single_address(range)) return remove_single(first);
  const auto at = std::ranges::lower_bound(firsts_, first) - firsts_.begin();
  firsts_.erase(firsts_.begin() + at);
  lasts_.erase(lasts_.begin() + at);
}

template <typename F>
std::size_t Members<F>::place(Number number) const noexcept {
  return mix(fold(number)) & (table_.size() - 1);
}

template <typename F>
void Members<F>::add_single(Number number) {
  ++singles_;
  if (number == 0) {
    has_zero_ = true;
    return;
  }
  std::size_t at = place(number);
  while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
  table_[at] = number;
}

// What a search for others passes on its way moves up (Knuth, The Art of Computer Programming, 6.4, algorithm R).
template <typename F>
void Members<F>::remove_single(Number number) {
  --singles_;
  if (number == 0) {
    has_zero_ = false;
    return;
  }
  const std::size_t mask = table_.size() - 1;
  std::size_t free = place(number);
  while (table_[free] != number) free = (free + 1) & mask;
  for (std::size_t at = (free + 1) & mask; table_[at] != 0; at = (at + 1) & mask) {
    const bool reached_without = ((at - place(table_[at])) & mask) < ((at - free) & mask);
    if (reached_without) continue;
    table_[free] = table_[at];
    free = at;
  }
  table_[free] = 0;
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

std::shared_ptr<const AddressIndex> AddressIndex::with(const AddressSet::Difference& change) const {
  if (searched_) return nullptr;
  auto v4 = v4_.with(change);
  auto v6 = v4 ? v6_.with(change) : std::nullopt;
  if (!v6) return nullptr;
  return std::shared_ptr<const AddressIndex>(new AddressIndex(*std::move(v4), *std::move(v6)));
}

// Null where there is none to follow.
std::shared_ptr<const AddressIndex> AddressIndexes::follow(const AddressSet& set) const {
  constexpr std::size_t kMany = 4096;
  constexpr std::size_t kFew = 256;
  if (set.size() < kMany) return nullptr;
  for (const auto& [known_set, known_index] : known_) {
    const auto before = known_set.lock();
    const auto index = known_index.lock();
    if (!before || !index) continue;
    const auto change = before->difference(set, kFew);
    auto made = change ? index->with(*change) : nullptr;
    if (made) return made;
  }
  return nullptr;
}

std::shared_ptr<const AddressIndex> AddressIndexes::of(
    const std::shared_ptr<const AddressSet>& set) {
  auto& known = known_[set];
  if (auto index = known.lock()) return index;
  auto index = follow(*set);
  if (!index) index = std::make_shared<const AddressIndex>(set, lookup_);
  known = index;
  std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
  return index;
}

}  // namespace rules::classifier
