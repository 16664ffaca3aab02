// Hash -> place in a list, by open addressing in one small table: what isn't there, as most sources
// of a forged flood aren't, is known after one look.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fwd::audit {

class FoldIndex {
 public:
  FoldIndex() : slots_(kSlots) {}

  // The place of that hash for which `is_it(place)` holds.
  template <typename IsIt>
  std::optional<std::uint32_t> find(std::uint32_t hash, IsIt is_it) const {
    for (std::size_t at = slot_at(hash); slots_[at].used(); at = slot_at(at + 1)) {
      if (slots_[at].hash == hash && is_it(slots_[at].place())) return slots_[at].place();
    }
    return std::nullopt;
  }

  // What isn't there yet.
  void add(std::uint32_t hash, std::uint32_t place) {
    if (kSpread * (used_ + 1) > slots_.size()) grow();
    std::size_t at = slot_at(hash);
    while (slots_[at].used()) at = slot_at(at + 1);
    slots_[at] = {hash, place + 1};
    ++used_;
  }

  void clear() {
    if (used_ != 0) slots_.assign(kSlots, {});
    used_ = 0;
  }

 private:
  // Eight bytes: the table stays in the nearest cache but one.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = 0;  // of the place, from 1

    bool used() const { return number != 0; }
    std::uint32_t place() const { return number - 1; }
  };
  static constexpr std::size_t kSlots = 4096;  // at first
  static constexpr std::size_t kSpread = 3;    // slots for each that is used, at least

  std::size_t slot_at(std::uint64_t hash) const { return hash & (slots_.size() - 1); }

  void grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    used_ = 0;
    for (const Slot& slot : old) {
      if (slot.used()) add(slot.hash, slot.place());
    }
  }

  std::vector<Slot> slots_;  // a power of two of them
  std::size_t used_ = 0;
};

}  // namespace fwd::audit
