// The lookup in one family's tables: search() for one point, search_batch() for many at once, for_each_match() for all that
// match. Nothing here allocates, locks or waits.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "rules/classifier/condition.h"
#include "rules/classifier/directory.h"
#include "rules/classifier/entry.h"

namespace rules::classifier {

// Of a rule with pending entries: from which version on it holds, and from which not any more. All zero: in every version.
struct Lifetime {
  std::uint64_t from;
  std::uint64_t until;  // 0: for ever

  bool holds(std::uint64_t version) noexcept {
    // Of a slot that is used again `from` is set first.
    const std::uint64_t end = std::atomic_ref(until).load(std::memory_order_acquire);
    if (end != 0 && end <= version) return false;
    return std::atomic_ref(from).load(std::memory_order_relaxed) <= version;
  }
  void begin(std::uint64_t version) noexcept {
    std::atomic_ref(from).store(version, std::memory_order_relaxed);
    std::atomic_ref(until).store(0, std::memory_order_release);
  }
  void end(std::uint64_t version) noexcept {
    std::atomic_ref(until).store(version, std::memory_order_release);
  }
};

struct Found {
  Label label = kNoLabel;
  Slot slot = 0;

  explicit operator bool() const { return label != kNoLabel; }
};

template <typename F>
struct View {
  const Directory<F>& directory;
  const Condition* conditions;
  Lifetime* lifetimes;  // by slot
  std::uint64_t version;
  BlockScan scan;

  bool holds(const Entry<F>& entry, const Slot& owner, const Point<F>& point) const noexcept {
    return entry.spans(point) && applies(entry, owner, point);
  }
  // For an entry that spans the point.
  [[gnu::always_inline]] bool applies(const Entry<F>& entry, const Slot& owner,
                                      const Point<F>& point) const noexcept {
    if (entry.pending() && !lifetimes[owner].holds(version)) return false;
    return conditions[entry.condition_number()].holds(point);
  }
};

// The first match of a bucket whose label is smaller than found.label, as the place of its owner.
struct Best {
  Label label = kNoLabel;
  const Slot* owner = nullptr;

  Found found() const { return owner == nullptr ? Found{} : Found{label, *owner}; }
};

template <typename F>
void search_bucket(const View<F>& view, std::uint32_t offset, const Point<F>& point,
                   Best& best) noexcept {
  const Entry<F>* entry = view.directory.entries + offset;
  const Slot* owner = view.directory.owners + offset;
  for (;; ++entry, ++owner) {
    if (entry->label >= best.label) return;
    if (view.holds(*entry, *owner, point)) {
      best = {entry->label, owner};
      return;
    }
    if (entry->last()) return;
  }
}

template <typename F>
void search_list(const View<F>& view, const Point<F>& point, Best& best) noexcept {
  const BlockPoint keys = block_point(point);
  for (const auto& block : view.directory.list.blocks()) {
    if (block->entries[0].label >= best.label) return;
    std::uint64_t hits = view.scan(block->keys, keys);
    if (block->count < kBlock) hits &= (std::uint64_t{1} << block->count) - 1;
    for (; hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits));
      if (!view.holds(block->entries[at], block->owners[at], point)) continue;
      if (block->entries[at].label < best.label)
        best = {block->entries[at].label, &block->owners[at]};
      return;
    }
  }
}

// A point's hashes by every mask of the directory.
struct PointHashes {
  std::array<std::uint32_t, kMostLevels> source;
  std::array<std::uint32_t, kMostLevels> destination;
  std::array<std::uint32_t, kMostLevels> fields;

  template <typename F>
  PointHashes(const Directory<F>& directory, const Point<F>& point) noexcept {
    for (std::size_t i = 0; i < directory.sources.count; ++i)
      source[i] = address_hash(point.source, directory.sources.masks[i], kSourceSeed);
    for (std::size_t i = 0; i < directory.destinations.count; ++i)
      destination[i] =
          address_hash(point.destination, directory.destinations.masks[i], kDestinationSeed);
    const std::uint32_t ports = ports_of(point);
    const std::uint32_t interface = interface_of(point);
    for (std::size_t i = 0; i < directory.fields.count; ++i)
      fields[i] = field_hash(ports, interface, directory.fields.masks[i]);
  }

  std::uint32_t of(const Table& table) const noexcept {
    return source[table.source] ^ destination[table.destination] ^ fields[table.fields];
  }
};

inline BucketRef bucket_at(const Table& table, std::uint32_t hash) noexcept {
  return BucketRef::unpacked(table.slots[hash >> table.shift].load(std::memory_order_acquire));
}

template <typename F>
Best search(const View<F>& view, const Point<F>& point) noexcept {
  Best best;
  const Directory<F>& directory = view.directory;
  if (directory.table_count != 0) {
    const PointHashes hashes{directory, point};
    for (std::size_t i = 0; i < directory.table_count; ++i) {
      const Table& table = directory.tables[i];
      if (table.first >= best.label) break;
      const std::uint32_t hash = hashes.of(table);
      const BucketRef bucket = bucket_at(table, hash);
      if (bucket.may_hold(hash) && bucket.floor <= best.label >> 16U)
        search_bucket(view, bucket.offset, point, best);
    }
  }
  search_list(view, point, best);
  return best;
}

// Calls visit(label, slot) for every entry that matches with a label below `bound`, in no order. A rule may have several.
template <typename F, typename Visit>
void for_each_match(const View<F>& view, const Point<F>& point, Label bound, const Visit& visit) {
  const Directory<F>& directory = view.directory;
  const PointHashes hashes{directory, point};
  const auto offer = [&](const Entry<F>& entry, const Slot& owner) {
    if (view.holds(entry, owner, point)) visit(entry.label, owner);
  };
  for (std::size_t i = 0; i < directory.table_count && directory.tables[i].first < bound; ++i) {
    const std::uint32_t hash = hashes.of(directory.tables[i]);
    const BucketRef bucket = bucket_at(directory.tables[i], hash);
    if (!bucket.may_hold(hash)) continue;
    for (std::size_t at = bucket.offset; directory.entries[at].label < bound; ++at) {
      offer(directory.entries[at], directory.owners[at]);
      if (directory.entries[at].last()) break;
    }
  }
  for (const auto& block : directory.list.blocks()) {
    std::uint64_t hits = view.scan(block->keys, block_point(point));
    if (block->count < kBlock) hits &= (std::uint64_t{1} << block->count) - 1;
    for (; hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits));
      if (block->entries[at].label >= bound) return;
      offer(block->entries[at], block->owners[at]);
    }
  }
}

// As many points are hashed, and their buckets fetched, before the first is compared.
inline constexpr std::size_t kGroup = 32;

// best[i] for points[i], any number of them.
template <typename F>
void search_batch(const View<F>& view, const Point<F>* points, std::size_t count,
                  Best* best) noexcept;

}  // namespace rules::classifier
