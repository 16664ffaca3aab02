#include "rules/classifier/search_avx512.h"

#if defined(__x86_64__)
// Of g++ 12's own header: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace rules::classifier {
namespace {

#define FWD_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,popcnt")))

constexpr std::size_t kLanes = 16;
constexpr std::size_t kVectors = kGroup / kLanes;

struct alignas(64) Words {
  std::array<std::uint32_t, kGroup> source;
  std::array<std::uint32_t, kGroup> destination;
  std::array<std::uint32_t, kGroup> ports;
  std::array<std::uint32_t, kGroup> interface;
};

struct alignas(64) HashLevels {
  std::array<std::array<std::uint32_t, kGroup>, kMostLevels> hashes;

  FWD_AVX512 void set(std::size_t level, std::size_t vector, __m512i hash) {
    _mm512_store_si512(&hashes[level][vector * kLanes], hash);
  }
  FWD_AVX512 __m512i get(std::size_t level, std::size_t vector) const {
    return _mm512_load_si512(&hashes[level][vector * kLanes]);
  }
};

FWD_AVX512 inline __m512i set(std::uint32_t value) {
  return _mm512_set1_epi32(static_cast<int>(value));
}

// As mix() in shape.h.
FWD_AVX512 inline __m512i mix(__m512i value) {
  value =
      _mm512_mullo_epi32(_mm512_xor_si512(value, _mm512_srli_epi32(value, 16)), set(0x85ebca6bU));
  value =
      _mm512_mullo_epi32(_mm512_xor_si512(value, _mm512_srli_epi32(value, 13)), set(0xc2b2ae35U));
  return _mm512_xor_si512(value, _mm512_srli_epi32(value, 16));
}

FWD_AVX512 inline void hash_addresses(const std::array<std::uint32_t, kGroup>& numbers,
                                      const Levels<std::uint32_t>& levels, std::uint32_t seed,
                                      HashLevels& hashes) {
  for (std::size_t level = 0; level < levels.count; ++level) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512i number = _mm512_load_si512(&numbers[v * kLanes]);
      hashes.set(
          level, v,
          mix(_mm512_add_epi32(_mm512_and_si512(number, set(levels.masks[level])), set(seed))));
    }
  }
}

FWD_AVX512 inline void hash_fields(const Words& words, const Levels<FieldMask>& levels,
                                   HashLevels& hashes) {
  for (std::size_t level = 0; level < levels.count; ++level) {
    const FieldMask& mask = levels.masks[level];
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512i ports =
          _mm512_and_si512(_mm512_load_si512(&words.ports[v * kLanes]), set(mask.ports));
      const __m512i interface =
          _mm512_and_si512(_mm512_load_si512(&words.interface[v * kLanes]), set(mask.interface));
      const __m512i both =
          _mm512_add_epi32(ports, _mm512_mullo_epi32(interface, set(kInterfaceFactor)));
      hashes.set(level, v, mix(_mm512_add_epi32(both, set(kFieldSeed))));
    }
  }
}

// Buckets that may hold what a point matches, with the numbers of the points.
struct Candidates {
  // Written eight at a time.
  std::array<std::uint64_t, kGroup * kMostTables + 8> buckets;
  std::array<std::uint64_t, kGroup * kMostTables + 8> points;
  std::size_t count = 0;

  FWD_AVX512 void add(const Table& table, __m256i hash, std::size_t first) {
    const __m256i slots = _mm256_srl_epi32(hash, _mm_cvtsi32_si128(table.shift));
    // Every element is one load of an aligned word, as atomic as the store that wrote it.
    const __m512i refs = _mm512_i32gather_epi64(slots, table.slots, 8);
    const __m512i filter = _mm512_srli_epi64(refs, 32);
    const __m512i wide = _mm512_cvtepu32_epi64(hash);
    const __m512i low = _mm512_and_si512(wide, _mm512_set1_epi64(15));
    const __m512i high = _mm512_and_si512(_mm512_srli_epi64(wide, 4), _mm512_set1_epi64(15));
    const __m512i both =
        _mm512_and_si512(_mm512_srlv_epi64(filter, low), _mm512_srlv_epi64(filter, high));
    const __mmask8 held = _mm512_test_epi64_mask(both, _mm512_set1_epi64(1));
    const __m512i numbers = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first)),
                                             _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    _mm512_storeu_si512(&buckets[count], _mm512_maskz_compress_epi64(held, refs));
    _mm512_storeu_si512(&points[count], _mm512_maskz_compress_epi64(held, numbers));
    count += static_cast<std::size_t>(_mm_popcnt_u32(held));
  }
};

// An entry's words: source, its span, destination, its span, source ports, destination ports, label, condition.
constexpr std::uint32_t kCompared = 0b00110101;

// A point in the places of an entry's words, twice.
FWD_AVX512 inline __m512i pattern_of(const Point<V4>& point) {
  return _mm512_broadcast_i64x4(_mm256_setr_epi32(static_cast<int>(point.source), 0,
                                                  static_cast<int>(point.destination), 0,
                                                  point.source_port, point.destination_port, 0, 0));
}

// Of two entries from `at`: which words pass. Spans stand beside their addresses, and above their ports.
FWD_AVX512 inline std::uint32_t compare_two(const Entry<V4>* at, __m512i pattern) {
  const __m512i entries = _mm512_loadu_si512(at);
  const __m512i difference = _mm512_sub_epi32(pattern, entries);
  const __m512i ports_difference =
      _mm512_mask_and_epi32(difference, 0x3030, difference, set(0xffffU));
  const __m512i spans =
      _mm512_mask_srli_epi32(_mm512_shuffle_epi32(entries, _MM_PERM_DDBB), 0x3030, entries, 16);
  return _mm512_cmple_epu32_mask(ports_difference, spans);
}

FWD_AVX512 inline std::uint32_t last_of_two(const Entry<V4>* at) {
  return _mm512_movepi32_mask(_mm512_loadu_si512(at)) & 0x8080U;
}

// Eight entries from `at`, of which those behind the last of the bucket don't count: reading on is allowed, because
// the store has room behind its last entry.
FWD_AVX512 inline void search_bucket_avx512(const View<V4>& view, std::uint32_t offset,
                                            const Point<V4>& point, __m512i pattern, Best& best) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  for (;; offset += 8) {
    const Entry<V4>* const entries = view.directory.entries + offset;
    std::uint64_t passed = 0;
    std::uint64_t lasts = 0;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 8; i += 2) {
      passed |= std::uint64_t{compare_two(entries + i, pattern)} << (8 * i);
      lasts |= std::uint64_t{last_of_two(entries + i)} << (8 * i);
    }
    // A byte for each entry; up to and with the first that is a last.
    const std::uint64_t valid = lasts ^ (lasts - 1);
    const std::uint64_t failed = ~passed & kEach * kCompared & valid;
    std::uint64_t hits = ~(((failed & 0x7f7f7f7f7f7f7f7fULL) + 0x7f7f7f7f7f7f7f7fULL) | failed) &
                         kEach * 0x80U & valid;
    for (; hits != 0; hits &= hits - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(hits)) / 8;
      const Entry<V4>& entry = entries[at];
      if (entry.label >= best.label) return;
      const Slot* const owner = view.directory.owners + offset + at;
      if (!view.applies(entry, *owner, point)) continue;
      best = {entry.label, owner};
      return;
    }
    if (lasts != 0) return;
  }
}

}  // namespace

bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

FWD_AVX512 void search_group_avx512(const View<V4>& view, const Point<V4>* points,
                                    std::size_t count, Best* best) noexcept {
  const Directory<V4>& directory = view.directory;
  Words words;
  for (std::size_t i = 0; i < kGroup; ++i) {
    // The last stands in for those that a short group lacks; nobody asks what they find.
    const Point<V4>& point = points[std::min(i, count - 1)];
    words.source[i] = point.source;
    words.destination[i] = point.destination;
    words.ports[i] = ports_of(point);
    words.interface[i] = interface_of(point);
  }
  HashLevels source;
  HashLevels destination;
  HashLevels fields;
  hash_addresses(words.source, directory.sources, kSourceSeed, source);
  hash_addresses(words.destination, directory.destinations, kDestinationSeed, destination);
  hash_fields(words, directory.fields, fields);
  Candidates candidates;
  for (std::size_t t = 0; t < directory.table_count; ++t) {
    const Table& table = directory.tables[t];
    const std::size_t before = candidates.count;
    for (std::size_t v = 0; v < kVectors && v * kLanes < count; ++v) {
      const __m512i hash = _mm512_xor_si512(
          _mm512_xor_si512(source.get(table.source, v), destination.get(table.destination, v)),
          fields.get(table.fields, v));
      candidates.add(table, _mm512_castsi512_si256(hash), v * kLanes);
      candidates.add(table, _mm512_extracti64x4_epi64(hash, 1), v * kLanes + 8);
    }
    for (std::size_t i = before; i < candidates.count; ++i)
      __builtin_prefetch(directory.entries + static_cast<std::uint32_t>(candidates.buckets[i]));
  }
  for (std::size_t i = 0; i < candidates.count; ++i) {
    const BucketRef bucket = BucketRef::unpacked(candidates.buckets[i]);
    const std::uint64_t number = candidates.points[i];
    if (number >= count) continue;
    if (bucket.floor > best[number].label >> 16U) continue;
    const Point<V4>& point = points[number];
    search_bucket_avx512(view, bucket.offset, point, pattern_of(point), best[number]);
  }
  for (std::size_t i = 0; i < count; ++i) search_list(view, points[i], best[i]);
}

}  // namespace rules::classifier
#else
namespace rules::classifier {

bool has_avx512() noexcept {
  return false;
}
void search_group_avx512(const View<V4>&, const Point<V4>*, std::size_t, Best*) noexcept {}

}  // namespace rules::classifier
#endif
