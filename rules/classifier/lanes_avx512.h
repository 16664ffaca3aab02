// What search_avx512.cc is made of: hashes of 16 packets or masks, buckets' slots, and the comparison of a row's entries
// with one packet. Only for code that runs on processors with AVX-512.
#pragma once

// Of g++ 12's own header: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include "rules/classifier/bucket.h"
#include "rules/classifier/condition.h"
#include "rules/classifier/shape.h"

namespace rules::classifier::avx512 {

#define FWD_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))

constexpr std::size_t kLanes = 16;

FWD_AVX512 inline __m512i set(std::uint32_t value) {
  return _mm512_set1_epi32(static_cast<int>(value));
}
FWD_AVX512 inline __m256i set_half(std::uint32_t value) {
  return _mm256_set1_epi32(static_cast<int>(value));
}
FWD_AVX512 inline __m512i set_wide(std::uint64_t value) {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

// As mix() and fold() in shape.h.
FWD_AVX512 inline __m512i mix(__m512i value) {
  value =
      _mm512_mullo_epi32(_mm512_xor_si512(value, _mm512_srli_epi32(value, 16)), set(0x85ebca6bU));
  value =
      _mm512_mullo_epi32(_mm512_xor_si512(value, _mm512_srli_epi32(value, 13)), set(0xc2b2ae35U));
  return _mm512_xor_si512(value, _mm512_srli_epi32(value, 16));
}
FWD_AVX512 inline __m512i fold(const __m512i (&words)[1]) {
  return words[0];
}
FWD_AVX512 inline __m512i fold(const __m512i (&words)[4]) {
  const __m512i high = _mm512_add_epi32(words[0], _mm512_mullo_epi32(words[1], set(0x9e3779b1U)));
  const __m512i low = _mm512_add_epi32(_mm512_mullo_epi32(words[2], set(0x85ebca77U)),
                                       _mm512_mullo_epi32(words[3], set(0xc2b2ae3dU)));
  return _mm512_add_epi32(high, low);
}
FWD_AVX512 inline __m512i field_hashes(__m512i ports, __m512i interface) {
  const __m512i both =
      _mm512_add_epi32(ports, _mm512_mullo_epi32(interface, set(kInterfaceFactor)));
  return mix(_mm512_add_epi32(both, set(kFieldSeed)));
}

template <typename F>
std::uint32_t word_of(typename F::Number number, std::size_t at) {
  return static_cast<std::uint32_t>(number >> (F::kBits - 32 * (at + 1)));
}

// Bit i: a bucket of these may hold what has hash i. As BucketRef::may_hold().
FWD_AVX512 inline std::uint32_t which_may_hold(__m512i refs, __m256i hashes) {
  const __m512i filter = _mm512_srli_epi64(refs, BucketRef::kFilterShift);
  const __m512i wide = _mm512_cvtepu32_epi64(hashes);
  const __m512i low = _mm512_and_si512(wide, set_wide(15));
  const __m512i high = _mm512_and_si512(_mm512_srli_epi64(wide, 4), set_wide(15));
  const __m512i both =
      _mm512_and_si512(_mm512_srlv_epi64(filter, low), _mm512_srlv_epi64(filter, high));
  return _mm512_test_epi64_mask(both, set_wide(1));
}

// A point in every lane.
template <typename F>
struct Pattern;

template <>
struct Pattern<V4> {
  __m256i source, destination, ports, kind;

  FWD_AVX512 explicit Pattern(const Point<V4>& point)
      : source{set_half(point.source)},
        destination{set_half(point.destination)},
        ports{set_half(point.ports)},
        kind{set_half(static_cast<std::uint32_t>(point.kind))} {}

  // Bit i: the addresses of the row's entry i hold those of the point.
  FWD_AVX512 __mmask8 in_addresses(const Row<V4>& row, __mmask8 valid) const {
    const auto word = [&](std::size_t number) { return row.words + number * row.count; };
    const __m256i from = _mm256_sub_epi32(source, _mm256_maskz_loadu_epi32(valid, word(0)));
    const __m256i to = _mm256_sub_epi32(destination, _mm256_maskz_loadu_epi32(valid, word(2)));
    return _mm256_cmple_epu32_mask(from, _mm256_maskz_loadu_epi32(valid, word(1))) &
           _mm256_cmple_epu32_mask(to, _mm256_maskz_loadu_epi32(valid, word(3)));
  }
};

template <>
struct Pattern<V6> {
  __m512i halves[4];
  __m256i ports, kind;

  FWD_AVX512 explicit Pattern(const Point<V6>& point)
      : halves{set_wide(static_cast<std::uint64_t>(point.source >> 64U)),
               set_wide(static_cast<std::uint64_t>(point.source)),
               set_wide(static_cast<std::uint64_t>(point.destination >> 64U)),
               set_wide(static_cast<std::uint64_t>(point.destination))},
        ports{set_half(point.ports)},
        kind{set_half(static_cast<std::uint32_t>(point.kind))} {}

  FWD_AVX512 __mmask8 in_addresses(const Row<V6>& row, __mmask8 valid) const {
    const __m512i shifts = _mm512_cvtepu32_epi64(
        _mm256_maskz_loadu_epi32(valid, row.words + AddressWords<V6>::kShifts * row.count));
    __m512i different = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (std::size_t number = 0; number < 4; ++number) {
      const __m512i half = _mm512_maskz_loadu_epi64(valid, row.words + 2 * number * row.count);
      // Byte `number` of each 64 bits, of which the instruction takes two at once; and nothing above it.
      const __m512i which = _mm512_mask_add_epi64(set_wide(kOnlyByte + number), 0xaa,
                                                  set_wide(kOnlyByte + number), set_wide(8));
      const __m512i shift = _mm512_shuffle_epi8(shifts, which);
      const __m512i ones = _mm512_sllv_epi64(_mm512_set1_epi64(-1), shift);
      different = _mm512_or_si512(
          different, _mm512_ternarylogic_epi64(half, halves[number], ones, kDifferentWithin));
    }
    return _mm512_testn_epi64_mask(different, different);
  }

 private:
  static constexpr std::uint64_t kOnlyByte = 0x8080808080808000ULL;
  static constexpr int kDifferentWithin = 0x28;  // (a ^ b) & c
};

// Bit i: the row's entry i spans the point, and its condition may hold.
template <typename F>
FWD_AVX512 inline std::uint32_t hits_of(const Row<F>& row, const Pattern<F>& pattern) {
  using Fields = Row<F>;
  const auto valid = static_cast<__mmask8>((1U << row.count) - 1);
  const __m256i ports =
      _mm256_sub_epi16(pattern.ports, _mm256_maskz_loadu_epi32(valid, row.field(Fields::Ports)));
  const __m256i spans = _mm256_maskz_loadu_epi32(valid, row.field(Fields::PortSpans));
  const __mmask8 in_ports = _mm256_cmpeq_epi32_mask(_mm256_min_epu16(ports, spans), ports);
  const __m256i words = _mm256_maskz_loadu_epi32(valid, row.field(Fields::ConditionWords));
  const __m256i masks = _mm256_permutexvar_epi32(
      _mm256_srli_epi32(words, condition_word::kPartShift),
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(condition_word::kMasks.data())));
  const __mmask8 as_asked =
      _mm256_mask_testn_epi32_mask(valid, _mm256_xor_si256(words, pattern.kind), masks);
  return pattern.in_addresses(row, valid) & in_ports & as_asked;
}

}  // namespace rules::classifier::avx512
