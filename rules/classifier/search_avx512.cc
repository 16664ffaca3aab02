#include "rules/classifier/search_avx512.h"

#if defined(__x86_64__)
#include "rules/classifier/lanes_avx512.h"

namespace rules::classifier {
namespace {

using namespace avx512;

constexpr std::size_t kSlotLanes = 8;  // of slots, which have 64 bits

// Row by row, and hit by hit.
template <typename F>
[[gnu::noinline]] FWD_AVX512 void search_rows(const View<F>& view, std::uint64_t packed,
                                              const Point<F>& point, Best& best) noexcept {
  const BucketRef bucket = BucketRef::unpacked(packed);
  const Pattern<F> pattern{point};
  for (std::size_t first = 0; first < bucket.length; first += kRow) {
    const auto row = row_of<F>(view.directory.bucket(bucket), bucket.length, first);
    for (std::uint32_t hits = hits_of(row, pattern); hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits));
      if (row.label(at) >= best.label()) return;
      if (!view.asked(row.condition(at), row.owner(at), point)) continue;
      best = {row.label(at), row.owner(at)};
      return;
    }
  }
}

// Most buckets are one row, and most conditions are short. Whether there is a hit then, and whether it is better than what was
// found, can't be foreseen: no branch asks.
template <typename F>
[[gnu::always_inline]] FWD_AVX512 inline void search_bucket(const View<F>& view,
                                                            const std::uint32_t* buckets,
                                                            std::uint64_t packed,
                                                            const Point<F>& point, Best& best) {
  const BucketRef bucket = BucketRef::unpacked(packed);
  const auto row =
      row_of<F>(buckets + std::size_t{bucket.offset} * Row<F>::kEntryWords, bucket.length, 0);
  const std::uint32_t hits = hits_of(row, Pattern<F>{point});
  const auto at = static_cast<std::size_t>(std::countr_zero(hits | 1U << kRow)) % kRow;
  const std::uint32_t none = 0U - static_cast<std::uint32_t>(hits == 0);
  const std::uint32_t ask = row.condition(at) & View<F>::kAsk & ~none;
  const auto longer = static_cast<std::uint32_t>(bucket.length > kRow);
  if ((ask | longer) != 0) [[unlikely]]
    return search_rows(view, packed, point, best);
  best.bits = std::min(best.bits, Best{row.label(at) | none, row.owner(at)}.bits);
}

// --- one point -------------------------------------------------------------------------------------------------

template <typename F>
FWD_AVX512 inline __m512i hash_by_all(typename F::Number number,
                                      const decltype(Columns<F>::sources)& masks,
                                      std::uint32_t seed) {
  __m512i words[Columns<F>::kWords];
  for (std::size_t at = 0; at < Columns<F>::kWords; ++at)
    words[at] = _mm512_and_si512(set(word_of<F>(number, at)), _mm512_load_si512(masks[at].data()));
  return mix(_mm512_add_epi32(fold(words), set(seed)));
}

FWD_AVX512 inline __m512i eight_of(const std::uint32_t* words) {
  return _mm512_castsi256_si512(_mm256_load_si256(reinterpret_cast<const __m256i*>(words)));
}

// The slot of each table that the point hashes to; bit i of the answer: table i's bucket may hold what it matches.
template <typename F>
FWD_AVX512 inline std::uint32_t probe_all(const Directory<F>& directory, const Point<F>& point,
                                          std::uint64_t* refs) {
  const Columns<F>& columns = directory.columns;
  const __m512i source = hash_by_all<F>(point.source, columns.sources, kSourceSeed);
  const __m512i destination =
      hash_by_all<F>(point.destination, columns.destinations, kDestinationSeed);
  const __m512i fields =
      field_hashes(_mm512_and_si512(set(point.ports), _mm512_load_si512(columns.ports.data())),
                   _mm512_and_si512(set(kind::interface_bits(point.kind)),
                                    _mm512_load_si512(columns.interfaces.data())));
  std::uint32_t held = 0;
  for (std::size_t first = 0; first < directory.table_count; first += kSlotLanes) {
    const __m512i hashes = _mm512_ternarylogic_epi32(
        _mm512_permutexvar_epi32(eight_of(&columns.source[first]), source),
        _mm512_permutexvar_epi32(eight_of(&columns.destination[first]), destination),
        _mm512_permutexvar_epi32(eight_of(&columns.fields[first]), fields), 0x96);
    const __m256i some = _mm512_castsi512_si256(hashes);
    const __m512i numbers = _mm512_cvtepu32_epi64(
        _mm256_srlv_epi32(some, _mm512_castsi512_si256(eight_of(&columns.shift[first]))));
    const __m512i places =
        _mm512_add_epi64(_mm512_load_si512(static_cast<const void*>(&columns.slots[first])),
                         _mm512_slli_epi64(numbers, 3));
    const std::size_t count = std::min(kSlotLanes, directory.table_count - first);
    const auto valid = static_cast<__mmask8>((1U << count) - 1);
    // Every element is one load of an aligned word, as atomic as the store that wrote it.
    const __m512i found =
        _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), valid, places, nullptr, 1);
    _mm512_store_si512(refs + first, found);
    held |= which_may_hold(found, some) << first;
  }
  return held;
}

// All at once: the processor goes on to the next one by itself only as long as it has foreseen which are compared.
template <typename F>
void fetch(const Directory<F>& directory, const std::uint64_t* refs, std::uint32_t held) {
  for (; held != 0; held &= held - 1)
    __builtin_prefetch(directory.bucket(
        BucketRef::unpacked(refs[static_cast<std::size_t>(std::countr_zero(held))])));
}

template <typename F>
FWD_AVX512 Best search_one(const View<F>& view, const Point<F>& point) {
  const Directory<F>& directory = view.directory;
  Best best;
  if (directory.table_count != 0) {
    alignas(64) std::array<std::uint64_t, Columns<F>::kTables> refs;
    std::uint32_t held = probe_all(directory, point, refs.data());
    fetch(directory, refs.data(), held);
    for (; held != 0; held &= held - 1) {
      const std::uint64_t ref = refs[static_cast<std::size_t>(std::countr_zero(held))];
      if (ref >> BucketRef::kFloorShift <= best.bits >> BucketRef::kFloorShift)
        search_bucket(view, directory.buckets, ref, point, best);
    }
  }
  if (directory.list_first < best.label()) search_list(view, point, best);
  return best;
}

// --- a group of points -------------------------------------------------------------------------------------------

template <typename F>
class GroupSearch {
 public:
  FWD_AVX512 GroupSearch(const View<F>& view, const Point<F>* points, std::size_t count)
      : view_{view}, points_{points}, count_{count} {
    // Nothing is better than what a point has that isn't there.
    for (std::size_t i = 0; i < kGroup; ++i) best_[i] = i < count ? Best{} : Best{0, 0};
  }

  FWD_AVX512 void search_tables() {
    const Directory<F>& directory = view_.directory;
    if (directory.table_count == 0) return;
    spread();
    hash_addresses(source_, directory.sources.count, directory.columns.sources, kSourceSeed,
                   source_hashes_);
    hash_addresses(destination_, directory.destinations.count, directory.columns.destinations,
                   kDestinationSeed, destination_hashes_);
    hash_fields();
    // The next table's slots are on their way while buckets of this one are compared. Fetching buckets ahead as well was
    // measured, and is slower: without branches the processor has several of them under way by itself.
    bool more = probe(0);
    for (std::size_t table = 0; more; ++table) {
      more = table + 1 < directory.table_count && probe(table + 1);
      compare(table);
    }
  }

  void finish(Best* best) {
    const Label list_first = view_.directory.list_first;
    for (std::size_t i = 0; i < count_; ++i) {
      best[i] = best_[i];
      if (list_first < best[i].label()) search_list(view_, points_[i], best[i]);
    }
  }

 private:
  static constexpr std::size_t kWords = Columns<F>::kWords;
  using Column = std::array<std::uint32_t, kGroup>;
  using Hashes = std::array<Column, kMostLevels>;

  FWD_AVX512 static __m512i load(const Column& column, std::size_t first) {
    return _mm512_load_si512(&column[first]);
  }

  // Each word of all points side by side.
  void spread() {
    for (std::size_t i = 0; i < kGroup; ++i) {
      // The last stands in for those that a short group lacks; nobody asks what they find.
      const Point<F>& point = points_[std::min(i, count_ - 1)];
      for (std::size_t at = 0; at < kWords; ++at) {
        source_[at][i] = word_of<F>(point.source, at);
        destination_[at][i] = word_of<F>(point.destination, at);
      }
      ports_[i] = point.ports;
      interfaces_[i] = kind::interface_bits(point.kind);
    }
  }

  FWD_AVX512 static void hash_addresses(const std::array<Column, kWords>& numbers,
                                        std::size_t levels,
                                        const decltype(Columns<F>::sources)& masks,
                                        std::uint32_t seed, Hashes& hashes) {
    for (std::size_t level = 0; level < levels; ++level) {
      for (std::size_t i = 0; i < kGroup; i += kLanes) {
        __m512i words[kWords];
        for (std::size_t at = 0; at < kWords; ++at)
          words[at] = _mm512_and_si512(load(numbers[at], i), set(masks[at][level]));
        _mm512_store_si512(&hashes[level][i], mix(_mm512_add_epi32(fold(words), set(seed))));
      }
    }
  }

  FWD_AVX512 void hash_fields() {
    const auto& levels = view_.directory.fields;
    for (std::size_t level = 0; level < levels.count; ++level) {
      const FieldMask& mask = levels.masks[level];
      for (std::size_t i = 0; i < kGroup; i += kLanes) {
        const __m512i ports = _mm512_and_si512(load(ports_, i), set(mask.ports));
        const __m512i interfaces = _mm512_and_si512(load(interfaces_, i), set(mask.interface));
        _mm512_store_si512(&field_hashes_[level][i], field_hashes(ports, interfaces));
      }
    }
  }

  // Bit i: something with that label may be better than what point `first` + i has.
  FWD_AVX512 std::uint32_t worse_than(Label label, std::size_t first) const {
    return _mm512_cmpge_epu64_mask(_mm512_load_si512(&best_[first]),
                                   set_wide(std::uint64_t{label} << 32U));
  }
  // The same for the smallest labels of the buckets that were found.
  FWD_AVX512 std::uint32_t worse_than_floors(std::size_t table, std::size_t first) const {
    const __m512i floors =
        _mm512_srli_epi64(_mm512_load_si512(&refs_[table][first]), BucketRef::kFloorShift);
    return _mm512_cmple_epu64_mask(
        floors, _mm512_srli_epi64(_mm512_load_si512(&best_[first]), BucketRef::kFloorShift));
  }

  // Finds out which points' buckets in the table may hold something better. False where neither this table nor one behind
  // it can have that for any point.
  FWD_AVX512 bool probe(std::size_t number) {
    const Table& table = view_.directory.tables[number];
    std::uint32_t alive = 0;
    for (std::size_t i = 0; i < kGroup; i += kSlotLanes) alive |= worse_than(table.first, i) << i;
    std::uint32_t held = 0;
    for (std::size_t i = 0; i < kGroup; i += kLanes) {
      const __m512i hashes = _mm512_ternarylogic_epi32(
          load(source_hashes_[table.source], i), load(destination_hashes_[table.destination], i),
          load(field_hashes_[table.fields], i), 0x96);
      const __m512i slots = _mm512_srl_epi32(hashes, _mm_cvtsi32_si128(table.shift));
      held |= gather(number, i, _mm512_castsi512_si256(hashes), _mm512_castsi512_si256(slots),
                     static_cast<__mmask8>(alive >> i))
              << i;
      held |= gather(number, i + kSlotLanes, _mm512_extracti64x4_epi64(hashes, 1),
                     _mm512_extracti64x4_epi64(slots, 1),
                     static_cast<__mmask8>(alive >> (i + kSlotLanes)))
              << (i + kSlotLanes);
    }
    held_[number] = held;
    return alive != 0;
  }

  // Eight points' slots. Every element is one load of an aligned word, as atomic as the store that wrote it.
  FWD_AVX512 std::uint32_t gather(std::size_t number, std::size_t first, __m256i hashes,
                                  __m256i slots, __mmask8 alive) {
    const __m512i refs =
        _mm512_mask_i32gather_epi64(_mm512_setzero_si512(), alive, slots,
                                    view_.directory.tables[number].slots, sizeof(BucketSlot));
    _mm512_store_si512(&refs_[number][first], refs);
    return which_may_hold(refs, hashes) & worse_than_floors(number, first);
  }

  FWD_AVX512 void compare(std::size_t number) {
    std::uint32_t left = 0;
    for (std::size_t i = 0; i < kGroup; i += kSlotLanes) left |= worse_than_floors(number, i) << i;
    const std::uint32_t* const buckets = view_.directory.buckets;
    const Point<F>* const points = points_;
    for (left &= held_[number]; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      search_bucket(view_, buckets, refs_[number][i], points[i], best_[i]);
    }
  }

  const View<F>& view_;
  const Point<F>* points_;
  std::size_t count_;
  alignas(64) std::array<Column, kWords> source_;
  alignas(64) std::array<Column, kWords> destination_;
  alignas(64) Column ports_;
  alignas(64) Column interfaces_;
  alignas(64) Hashes source_hashes_;
  alignas(64) Hashes destination_hashes_;
  alignas(64) Hashes field_hashes_;
  alignas(64) std::array<std::array<std::uint64_t, kGroup>, kMostTables> refs_;
  std::array<std::uint32_t, kMostTables> held_;
  alignas(64) std::array<Best, kGroup> best_;
};

template <typename F>
FWD_AVX512 void search_group(const View<F>& view, const Point<F>* points, std::size_t count,
                             Best* best) {
  GroupSearch<F> group{view, points, count};
  group.search_tables();
  group.finish(best);
}

}  // namespace

bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("bmi2") != 0;
}

template <typename F>
Best search_avx512(const View<F>& view, const Point<F>& point) noexcept {
  return search_one(view, point);
}

template <typename F>
void search_group_avx512(const View<F>& view, const Point<F>* points, std::size_t count,
                         Best* best) noexcept {
  search_group(view, points, count, best);
}

}  // namespace rules::classifier
#else
namespace rules::classifier {

bool has_avx512() noexcept {
  return false;
}
template <typename F>
Best search_avx512(const View<F>&, const Point<F>&) noexcept {
  return {};
}
template <typename F>
void search_group_avx512(const View<F>&, const Point<F>*, std::size_t, Best*) noexcept {}

}  // namespace rules::classifier
#endif

namespace rules::classifier {

template Best search_avx512(const View<V4>&, const Point<V4>&) noexcept;
template Best search_avx512(const View<V6>&, const Point<V6>&) noexcept;
template void search_group_avx512(const View<V4>&, const Point<V4>*, std::size_t, Best*) noexcept;
template void search_group_avx512(const View<V6>&, const Point<V6>*, std::size_t, Best*) noexcept;

}  // namespace rules::classifier
