// The lookup in one family's tables: search() for one point, search_batch() for many at once, for_each_match() for all that
// match; the two first by the view's method. Nothing here allocates, locks or waits.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

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

// How lookups compare: the fastest way depends on the processor.
struct Method {
  const char* name;
  BlockScan scan;  // of the list
  bool avx512;     // in the tables
};
// What this processor runs, the fastest first.
std::span<const Method> methods();

template <typename F>
struct View {
  const Directory<F>& directory;
  const Condition* conditions;
  Lifetime* lifetimes;  // by slot
  std::uint64_t version;
  Method method;

  // For an entry that spans the point, with its condition's word.
  [[gnu::always_inline]] bool applies(std::uint32_t condition, Slot owner,
                                      const Point<F>& point) const noexcept {
    if (!condition_word::may_hold(condition, point.kind)) return false;
    return (condition & kAsk) == 0 || asked(condition, owner, point);
  }
  // Of the word: more has to be looked at than the word.
  static constexpr std::uint32_t kAsk = Entry<F>::kPending | condition_word::kListed;
  bool asked(std::uint32_t condition, Slot owner, const Point<F>& point) const noexcept {
    if ((condition & Entry<F>::kPending) != 0 && !lifetimes[owner].holds(version)) return false;
    return (condition & condition_word::kListed) == 0 ||
           conditions[condition & condition_word::kNumber].holds(point);
  }

  bool holds(const Row<F>& row, std::size_t at, const Point<F>& point) const noexcept {
    return row.spans(at, point) && applies(row.condition(at), row.owner(at), point);
  }
  bool holds(const Entry<F>& entry, Slot owner, const Point<F>& point) const noexcept {
    return entry.spans(point) && applies(entry.condition, owner, point);
  }
};

// What was found so far, in one number: the smaller one is the earlier rule's.
struct Best {
  std::uint64_t bits = std::uint64_t{kNoLabel} << 32U;

  Best() = default;
  Best(Label label, Slot slot) : bits{std::uint64_t{label} << 32U | slot} {}

  Label label() const { return static_cast<Label>(bits >> 32U); }
  Found found() const { return {label(), static_cast<Slot>(bits)}; }
};

template <typename F>
void search_bucket(const View<F>& view, const BucketRef& bucket, const Point<F>& point,
                   Best& best) noexcept {
  for (std::size_t first = 0; first < bucket.length; first += kRow) {
    const auto row = row_of<F>(view.directory.bucket(bucket), bucket.length, first);
    for (std::size_t at = 0; at < row.count; ++at) {
      if (row.label(at) >= best.label()) return;
      if (!view.holds(row, at, point)) continue;
      best = {row.label(at), row.owner(at)};
      return;
    }
  }
}

template <typename F>
void search_list(const View<F>& view, const Point<F>& point, Best& best) noexcept {
  for (const auto& block : view.directory.list.blocks()) {
    if (block->entries[0].label >= best.label()) return;
    for (std::uint64_t hits = block->scan(view.method.scan, point); hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits));
      if (!view.holds(block->entries[at], block->owners[at], point)) continue;
      if (block->entries[at].label < best.label())
        best = {block->entries[at].label, block->owners[at]};
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
    for (std::size_t i = 0; i < directory.fields.count; ++i)
      fields[i] = field_hash(point, directory.fields.masks[i]);
  }

  std::uint32_t of(const Table& table) const noexcept {
    return source[table.source] ^ destination[table.destination] ^ fields[table.fields];
  }
};

inline BucketRef bucket_at(const Table& table, std::uint32_t hash) noexcept {
  return BucketRef::unpacked(table.slots[hash >> table.shift].load(std::memory_order_acquire));
}

template <typename F>
Best search_portably(const View<F>& view, const Point<F>& point) noexcept {
  Best best;
  const Directory<F>& directory = view.directory;
  if (directory.table_count != 0) {
    const PointHashes hashes{directory, point};
    for (std::size_t i = 0; i < directory.table_count; ++i) {
      const Table& table = directory.tables[i];
      if (table.first >= best.label()) break;
      const std::uint32_t hash = hashes.of(table);
      const BucketRef bucket = bucket_at(table, hash);
      if (bucket.may_hold(hash) && bucket.floor <= best.label() >> 16U)
        search_bucket(view, bucket, point, best);
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
  for (std::size_t i = 0; i < directory.table_count && directory.tables[i].first < bound; ++i) {
    const std::uint32_t hash = hashes.of(directory.tables[i]);
    const BucketRef bucket = bucket_at(directory.tables[i], hash);
    if (!bucket.may_hold(hash)) continue;
    for (std::size_t first = 0; first < bucket.length; first += kRow) {
      const auto row = row_of<F>(directory.bucket(bucket), bucket.length, first);
      for (std::size_t at = 0; at < row.count && row.label(at) < bound; ++at) {
        if (view.holds(row, at, point)) visit(row.label(at), Slot{row.owner(at)});
      }
    }
  }
  for (const auto& block : directory.list.blocks()) {
    for (std::uint64_t hits = block->scan(view.method.scan, point); hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits));
      const Entry<F>& entry = block->entries[at];
      if (entry.label >= bound) return;
      if (view.holds(entry, block->owners[at], point)) visit(entry.label, block->owners[at]);
    }
  }
}

template <typename F>
Best search(const View<F>& view, const Point<F>& point) noexcept;

// As many points are hashed, and their buckets fetched, before the first is compared.
inline constexpr std::size_t kGroup = 32;

// best[i] for points[i], any number of them.
template <typename F>
void search_batch(const View<F>& view, const Point<F>* points, std::size_t count,
                  Best* best) noexcept;

}  // namespace rules::classifier
