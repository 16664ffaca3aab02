#include "rules/classifier/condition.h"

#include <algorithm>
#include <set>

namespace rules::classifier {

bool Checks::any_holds(std::uint64_t kind) const noexcept {
  return std::ranges::any_of(kinds, [&](const KindTest& test) { return test.holds(kind); });
}

bool Checks::has(const std::vector<PortRange>& ranges, std::uint16_t port) noexcept {
  if (ranges.empty()) return true;
  const auto at = std::ranges::lower_bound(ranges, port, {}, &PortRange::last);
  return at != ranges.end() && at->first <= port;
}

namespace condition_word {

std::optional<std::uint32_t> of(const KindTest& test) {
  std::uint32_t word = 0;
  std::uint64_t rest = test.mask;
  for (unsigned part = 0; part < kParts; ++part) {
    if ((rest & kPartBits[part]) != kPartBits[part]) continue;
    word |= 1U << (kPartShift + part);
    rest &= ~kPartBits[part];
  }
  const bool fits = (test.value >> kPartShift) == 0 && (test.value & kind::kFarInterface) == 0;
  if (rest != 0 || !fits) return std::nullopt;
  return word | static_cast<std::uint32_t>(test.value);
}

KindTest short_test(std::uint32_t word) {
  KindTest test;
  for (unsigned part = 0; part < kParts; ++part) {
    if ((word >> (kPartShift + part) & 1U) != 0) test.mask |= kPartBits[part];
  }
  test.value = word & test.mask;
  return test;
}

}  // namespace condition_word

std::uint32_t Conditions::take(const KindTest& kind, const Checks& checks) {
  if (const auto word = condition_word::of(kind); word && checks.empty()) return *word;
  const auto [at, is_new] = known_.try_emplace(Key{kind, checks});
  Use& use = at->second;
  if (is_new) {
    if (full()) move_to(capacity_ * 2 + 64);
    if (free_.empty()) {
      use.number = static_cast<Number>(used_++);
      by_number_.push_back(at);
    } else {
      use.number = free_.back();
      free_.pop_back();
      by_number_[use.number] = at;
    }
    data_[static_cast<std::ptrdiff_t>(use.number)] = {kind,
                                                      checks.empty() ? nullptr : &at->first.checks};
  }
  ++use.users;
  return use.number | condition_word::kListed;
}

void Conditions::give_back(std::uint32_t word) {
  if ((word & condition_word::kListed) == 0) return;
  const Number number = word & condition_word::kNumber;
  const auto at = by_number_[number];
  if (--at->second.users > 0) return;
  free_.push_back(number);
  known_.erase(at);
}

void Conditions::move_to(std::size_t capacity) {
  const std::shared_ptr<Condition[]> moved{new Condition[capacity]};
  std::copy_n(data_.get(), used_, moved.get());
  data_ = moved;
  capacity_ = capacity;
}

std::size_t Conditions::memory_bytes() const {
  std::size_t sum = capacity_ * sizeof(Condition);
  std::set<const AddressIndex*> indices;
  for (const auto& [key, use] : known_) {
    sum += sizeof(Known::value_type) + 4 * sizeof(void*);
    sum += key.checks.kinds.capacity() * sizeof(KindTest);
    sum += (key.checks.source_ports.capacity() + key.checks.destination_ports.capacity()) *
           sizeof(PortRange);
    for (const auto& index : {key.checks.source, key.checks.destination}) {
      if (index && indices.insert(index.get()).second) sum += index->memory_bytes();
    }
  }
  return sum;
}

}  // namespace rules::classifier
