#include "rules/classifier/store.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "rules/classifier/cut.h"

namespace rules::classifier {
namespace {

constexpr std::size_t kLongList = 256;  // beyond that, a few long buckets cost less
// Entries that one change may need at most.
constexpr std::size_t kReserve = kMostPieces * (kLongBucket + 1);

}  // namespace

// Finds each entry's table, all at once.
template <typename F>
class Store<F>::Placer {
 public:
  Placer(std::vector<WritableTable>& tables, std::span<const Entry<F>> entries,
         const Condition* conditions)
      : tables_{tables}, entries_{entries}, conditions_{conditions}, places_(entries.size()) {
    for (const WritableTable& table : tables) lengths_.emplace_back(std::size_t{1} << table.bits);
  }

  void place() {
    std::vector<std::uint32_t> left;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      if (!put_first(i)) left.push_back(i);
    }
    const bool lengthen = left.size() > kLongList;
    for (const std::uint32_t i : left) {
      if (!lengthen || !put_shortest(i)) list_.push_back(i);
    }
  }

  const std::vector<Place>& places() const { return places_; }
  const std::vector<std::uint32_t>& list() const { return list_; }
  static constexpr std::uint8_t kNowhere = 0xff;

 private:
  KindTest kind(std::uint32_t i) const {
    return kind_test(entries_[i].condition_word(), conditions_);
  }

  void put(std::uint32_t i, std::size_t table, std::uint32_t hash) {
    const std::size_t slot = tables_[table].slot_of(hash);
    ++lengths_[table][slot];
    ++tables_[table].entries;
    places_[i] = {static_cast<std::uint8_t>(table), static_cast<std::uint32_t>(slot),
                  BucketRef::filter_of(hash)};
  }

  bool put_first(std::uint32_t i) {
    places_[i].table = kNowhere;
    const Shape shape = shape_of(entries_[i], kind(i));
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      if (!tables_[table].shape.within(shape)) continue;
      const std::uint32_t hash = hash_of(entries_[i], kind(i), tables_[table].shape);
      if (lengths_[table][tables_[table].slot_of(hash)] >= kBucket) continue;
      put(i, table, hash);
      return true;
    }
    return false;
  }

  bool put_shortest(std::uint32_t i) {
    const Shape shape = shape_of(entries_[i], kind(i));
    std::size_t fewest = kLongBucket;
    std::optional<std::size_t> best;
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      if (!tables_[table].shape.within(shape)) continue;
      const std::uint32_t hash = hash_of(entries_[i], kind(i), tables_[table].shape);
      const std::size_t length = lengths_[table][tables_[table].slot_of(hash)];
      if (length >= fewest) continue;
      fewest = length;
      best = table;
    }
    if (best) put(i, *best, hash_of(entries_[i], kind(i), tables_[*best].shape));
    return best.has_value();
  }

  std::vector<WritableTable>& tables_;
  std::span<const Entry<F>> entries_;
  const Condition* conditions_;
  std::vector<Place> places_;
  std::vector<std::vector<std::uint8_t>> lengths_;  // of each table's buckets
  std::vector<std::uint32_t> list_;
};

template <typename F>
Store<F>::Store(std::span<const Entry<F>> entries, std::span<const Slot> owners,
                const Condition* conditions, std::span<const ChosenShape> shapes,
                std::size_t capacity)
    : words_{(capacity + kReserve) * Row<F>::kEntryWords},
      capacity_{capacity + kReserve},
      free_(kLongBucket + 1) {
  if (capacity_ > std::size_t{1} << BucketRef::kOffsetBits) throw std::bad_alloc{};
  for (const ChosenShape& chosen : shapes) {
    WritableTable& table = tables_.emplace_back();
    table.shape = chosen.shape;
    const std::size_t slots = std::max<std::size_t>(chosen.entries + chosen.entries / 4, 16);
    table.bits = std::min(static_cast<unsigned>(std::bit_width(slots - 1)), kMaxSlotBits);
    table.slots = std::make_unique<BucketSlot[]>(std::size_t{1} << table.bits);
  }
  Placer placer{tables_, entries, conditions};
  placer.place();
  for (std::size_t table = 0; table < tables_.size(); ++table)
    fill_table(table, entries, owners, placer.places());
  for (const std::uint32_t i : placer.list())
    list_.insert(entries[i], owners[i], kind_test(entries[i].condition_word(), conditions));
  list_limit_ = 2 * list_.size() + 4 * kShortList;
}

// Buckets one after the other, in the order of slots: entries are counted, then put in place.
template <typename F>
void Store<F>::fill_table(std::size_t number, std::span<const Entry<F>> entries,
                          std::span<const Slot> owners, std::span<const Place> places) {
  WritableTable& table = tables_[number];
  std::vector<BucketRef> refs(std::size_t{1} << table.bits);
  for (const Place& place : places) {
    if (place.table == number) ++refs[place.slot].length;
  }
  for (BucketRef& ref : refs) {
    ref.offset = static_cast<std::uint32_t>(used_);
    used_ += ref.length;
  }
  std::vector<std::uint8_t> filled(refs.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (places[i].table != number) continue;
    BucketRef& ref = refs[places[i].slot];
    const std::size_t at = filled[places[i].slot]++;
    if (at == 0) ref.floor = BucketRef::floor_of(entries[i].label);
    ref.filter |= places[i].filter;
    table.first = std::min(table.first, entries[i].label);
    row_of<F>(bucket(ref.offset), ref.length, at / kRow * kRow)
        .write(at % kRow, entries[i], owners[i]);
  }
  for (std::size_t slot = 0; slot < refs.size(); ++slot) {
    const BucketRef ref = refs[slot].length == 0 ? BucketRef{} : refs[slot];
    table.slots[slot].store(ref.packed(), std::memory_order_relaxed);
  }
}

template <typename F>
std::shared_ptr<const Directory<F>> Store<F>::directory() {
  if (directory_) return directory_;
  auto made = std::make_shared<Directory<F>>();
  for (const WritableTable& table : tables_) {
    made->tables[made->table_count++] = {
        made->sources.number_of(prefix_mask<F>(table.shape.source)),
        made->destinations.number_of(prefix_mask<F>(table.shape.destination)),
        made->fields.number_of(table.shape.fields),
        static_cast<std::uint8_t>(32 - table.bits),
        table.first,
        table.slots.get()};
  }
  std::sort(made->tables.begin(),
            made->tables.begin() + static_cast<std::ptrdiff_t>(made->table_count),
            [](const Table& a, const Table& b) { return a.first < b.first; });
  made->buckets = words_.get();
  made->fill_columns();
  made->list = list_;
  if (!list_.blocks().empty()) made->list_first = list_.blocks().front()->entries[0].label;
  directory_ = std::move(made);
  return directory_;
}

template <typename F>
bool Store<F>::full() const {
  return used_ + kReserve > capacity_;
}

template <typename F>
std::vector<ChosenShape> Store<F>::shapes() const {
  std::vector<ChosenShape> shapes;
  shapes.reserve(tables_.size());
  for (const WritableTable& table : tables_) shapes.push_back({table.shape, table.entries});
  return shapes;
}

template <typename F>
void Store<F>::load(const BucketRef& ref) {
  items_.clear();
  for (std::size_t first = 0; first < ref.length; first += kRow) {
    const auto row = row_of<F>(bucket(ref.offset), ref.length, first);
    for (std::size_t at = 0; at < row.count; ++at) items_.push_back({row.read(at), row.owner(at)});
  }
}

template <typename F>
std::uint32_t Store<F>::allocate(std::size_t entries) {
  auto& free = free_[entries];
  if (!free.empty()) {
    const std::uint32_t offset = free.back();
    free.pop_back();
    return offset;
  }
  const auto offset = static_cast<std::uint32_t>(used_);
  used_ += entries;
  return offset;
}

template <typename F>
void Store<F>::replace(WritableTable& table, std::size_t slot, BucketRef before,
                       std::uint16_t filter, Chores& chores) {
  BucketRef after;
  if (!items_.empty()) {
    after = {allocate(items_.size()), static_cast<std::uint8_t>(items_.size()), filter,
             BucketRef::floor_of(items_[0].entry.label)};
    for (std::size_t i = 0; i < items_.size(); ++i) {
      row_of<F>(bucket(after.offset), items_.size(), i / kRow * kRow)
          .write(i % kRow, items_[i].entry, items_[i].owner);
    }
  }
  if (before.length != 0) {
    chores.waiting.push_back({chores.version, Chore::Kind::FreeBucket, F::kFamily == Family::V6, 0,
                              before.offset, before.length});
  }
  table.slots[slot].store(after.packed(), std::memory_order_release);
}

template <typename F>
void Store<F>::insert(const Entry<F>& entry, Slot owner, const KindTest& kind, Chores& chores) {
  const Shape shape = shape_of(entry, kind);
  for (WritableTable& table : tables_) {
    if (!table.shape.within(shape)) continue;
    const std::uint32_t hash = hash_of(entry, kind, table.shape);
    const std::size_t slot = table.slot_of(hash);
    const auto before = BucketRef::unpacked(table.slots[slot].load(std::memory_order_relaxed));
    load(before);
    if (items_.size() >= kBucket) continue;
    const auto at = std::ranges::lower_bound(items_, entry.label, {},
                                             [](const Item& item) { return item.entry.label; });
    items_.insert(at, {entry, owner});
    replace(table, slot, before, before.filter | BucketRef::filter_of(hash), chores);
    ++table.entries;
    if (entry.label < table.first) {
      table.first = entry.label;
      directory_.reset();
    }
    return;
  }
  list_.insert(entry, owner, kind);
  directory_.reset();
}

template <typename F>
bool Store<F>::remove(const Entry<F>& entry, Slot owner, const KindTest& kind, Chores& chores) {
  constexpr bool kV6 = F::kFamily == Family::V6;
  const Shape shape = shape_of(entry, kind);
  for (std::size_t number = 0; number < tables_.size(); ++number) {
    WritableTable& table = tables_[number];
    if (!table.shape.within(shape)) continue;
    const std::size_t slot = table.slot_of(hash_of(entry, kind, table.shape));
    const auto before = BucketRef::unpacked(table.slots[slot].load(std::memory_order_relaxed));
    load(before);
    bool found = false;
    for (Item& item : items_) {
      if (item.owner != owner || !item.entry.same_piece(entry)) continue;
      item.entry.condition |= Entry<F>::kPending;
      found = true;
    }
    if (!found) continue;
    replace(table, slot, before, before.filter, chores);
    chores.waiting.push_back({chores.version, Chore::Kind::EraseFromTable, kV6,
                              static_cast<std::uint8_t>(number), static_cast<std::uint32_t>(slot),
                              owner});
    return true;
  }
  if (!list_.mark_pending(entry.label, owner)) return false;
  directory_.reset();
  chores.waiting.push_back(
      {chores.version, Chore::Kind::EraseFromList, kV6, 0, entry.label, owner});
  return true;
}

template <typename F>
void Store<F>::erase_from_table(const Chore& chore, Chores& chores) {
  WritableTable& table = tables_[chore.table];
  const auto before = BucketRef::unpacked(table.slots[chore.at].load(std::memory_order_relaxed));
  load(before);
  const std::size_t erased =
      std::erase_if(items_, [&](const Item& item) { return item.owner == chore.which; });
  if (erased == 0) return;
  table.entries -= erased;
  // Whose bits of the filter those were can't be told, unless nobody is left.
  replace(table, chore.at, before, before.filter, chores);
}

template <typename F>
void Store<F>::run(const Chore& chore, Chores& chores) {
  switch (chore.kind) {
    case Chore::Kind::FreeBucket:
      free_[chore.which].push_back(chore.at);
      return;
    case Chore::Kind::EraseFromTable:
      return erase_from_table(chore, chores);
    case Chore::Kind::EraseFromList:
      if (list_.erase(chore.at, chore.which)) directory_.reset();
      return;
  }
}

template <typename F>
std::size_t Store<F>::memory_bytes() const {
  std::size_t sum = used_ * Row<F>::kEntryWords * sizeof(std::uint32_t) + list_.memory_bytes();
  for (const WritableTable& table : tables_) sum += sizeof(BucketSlot) << table.bits;
  return sum + sizeof(Directory<F>);
}

template class Store<V4>;
template class Store<V6>;

}  // namespace rules::classifier
