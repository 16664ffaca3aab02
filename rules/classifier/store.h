// The writer's side of one family's tables. One thread changes them while any number read: a bucket is never changed but
// written anew elsewhere, and one atomic store leads to it. Entries that not every reader may see yet, or still, are
// marked pending; what they are for whom is up to the rule's lifetime (see generation.h). What was replaced is a chore for
// later, when nobody can be reading it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include "rules/classifier/condition.h"
#include "rules/classifier/directory.h"
#include "rules/classifier/entry.h"

namespace rules::classifier {

// Something to be done when no reader has a version before `version`.
struct Chore {
  enum class Kind : std::uint8_t { FreeBucket, EraseFromTable, EraseFromList };

  std::uint64_t version = 0;
  Kind kind = Kind::FreeBucket;
  bool v6 = false;
  std::uint8_t table = 0;
  std::uint32_t at = 0;     // a bucket's offset, a slot's number in its table, or a label
  std::uint32_t which = 0;  // a bucket's length, or the rule
};

struct Chores {
  std::uint64_t version = 0;  // the next to be published
  std::deque<Chore> waiting;
};

// Not touched before it is used: what is kept in reserve costs no memory.
template <typename T>
class RawArray {
 public:
  explicit RawArray(std::size_t count)
      : items_{static_cast<T*>(::operator new(count * sizeof(T), kAlignment))} {}

  T* get() const { return items_.get(); }
  T& operator[](std::size_t at) const { return items_.get()[at]; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Delete {
    void operator()(T* items) const { ::operator delete(items, kAlignment); }
  };
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  std::unique_ptr<T, Delete> items_;
};

template <typename F>
class Store {
 public:
  // Entries in the order of their labels, none of them pending; shapes as chosen for them or their like. Room for
  // `capacity` entries.
  Store(std::span<const Entry<F>> entries, std::span<const Slot> owners,
        const Condition* conditions, std::span<const ChosenShape> shapes, std::size_t capacity);

  // As it is now, for a new version.
  std::shared_ptr<const Directory<F>> directory();

  // Whether an insertion may need more room than there is, or the tables don't suit the entries any more.
  bool full() const;
  bool outgrown() const { return list_.size() > list_limit_; }
  std::vector<ChosenShape> shapes() const;

  // Not when full(). The entry is pending.
  void insert(const Entry<F>& entry, Slot owner, const KindTest& kind, Chores& chores);
  // Marks the entry and has it erased later. False where it isn't there.
  bool remove(const Entry<F>& entry, Slot owner, const KindTest& kind, Chores& chores);
  void run(const Chore& chore, Chores& chores);

  // Calls visit(entry, owner) for all, in no order.
  template <typename Visit>
  void for_each(const Visit& visit) const;

  std::size_t memory_bytes() const;

 private:
  struct Item {
    Entry<F> entry;
    Slot owner;
  };
  struct WritableTable {
    Shape shape;
    unsigned bits = 0;
    std::size_t entries = 0;
    Label first = kNoLabel;
    std::unique_ptr<BucketSlot[]> slots;

    std::size_t slot_of(std::uint32_t hash) const { return hash >> (32 - bits); }
  };
  struct Place {
    std::uint8_t table = 0;
    std::uint32_t slot = 0;
    std::uint16_t filter = 0;
  };
  class Placer;

  void fill_table(std::size_t table, std::span<const Entry<F>> entries,
                  std::span<const Slot> owners, std::span<const Place> places);
  std::uint32_t* bucket(std::size_t offset) const { return &words_[offset * Row<F>::kEntryWords]; }
  void load(const BucketRef& ref);
  // Writes the bucket in items_ and has the one before freed later.
  void replace(WritableTable& table, std::size_t slot, BucketRef before, std::uint16_t filter,
               Chores& chores);
  std::uint32_t allocate(std::size_t entries);
  void erase_from_table(const Chore& chore, Chores& chores);

  std::vector<WritableTable> tables_;
  LinearList<F> list_;
  std::size_t list_limit_ = 0;
  RawArray<std::uint32_t> words_;  // of all buckets
  std::size_t capacity_;
  std::size_t used_ = 0;
  std::vector<std::vector<std::uint32_t>> free_;   // by length
  std::vector<Item> items_;                        // of the bucket that is being changed
  std::shared_ptr<const Directory<F>> directory_;  // null when it has to be made anew
};

template <typename F>
template <typename Visit>
void Store<F>::for_each(const Visit& visit) const {
  for (const WritableTable& table : tables_) {
    for (std::size_t slot = 0; slot < std::size_t{1} << table.bits; ++slot) {
      const auto ref = BucketRef::unpacked(table.slots[slot].load(std::memory_order_relaxed));
      for (std::size_t first = 0; first < ref.length; first += kRow) {
        const auto row = row_of<F>(bucket(ref.offset), ref.length, first);
        for (std::size_t at = 0; at < row.count; ++at) visit(row.read(at), row.owner(at));
      }
    }
  }
  for (const auto& block : list_.blocks()) {
    for (std::size_t at = 0; at < block->count; ++at) visit(block->entries[at], block->owners[at]);
  }
}

}  // namespace rules::classifier
