// One comparison for many entries of a list, in registers of each width.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "rules/classifier/linear_list.h"

namespace rules::classifier {

std::uint64_t scan_block_portably(const BlockKeys& keys, const BlockPoint& point) {
  std::array<std::uint8_t, kBlock> hits;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto from = static_cast<std::uint16_t>(point.source_port - keys.source_port[i]);
    const auto to = static_cast<std::uint16_t>(point.destination_port - keys.destination_port[i]);
    hits[i] = (point.source - keys.source[i] <= keys.source_span[i]) &
              (point.destination - keys.destination[i] <= keys.destination_span[i]) &
              (from <= keys.source_port_span[i]) & (to <= keys.destination_port_span[i]) &
              ((point.tag & keys.tag_mask[i]) == keys.tag[i]);
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBlock; ++i) bits |= std::uint64_t{hits[i]} << i;
  return bits;
}

#if defined(__x86_64__)
// 32 ports or tags, 2 times 16 addresses a step; what no entry passes ends it.
__attribute__((target("avx512f,avx512bw"))) std::uint64_t scan_block_avx512(
    const BlockKeys& keys, const BlockPoint& point) {
  const __m512i tag = _mm512_set1_epi16(static_cast<short>(point.tag));
  const __m512i source_port = _mm512_set1_epi16(static_cast<short>(point.source_port));
  const __m512i destination_port = _mm512_set1_epi16(static_cast<short>(point.destination_port));
  const __m512i source = _mm512_set1_epi32(static_cast<int>(point.source));
  const __m512i destination = _mm512_set1_epi32(static_cast<int>(point.destination));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBlock; i += 32) {
    __mmask32 hits =
        _mm512_cmpeq_epi16_mask(_mm512_and_si512(tag, _mm512_load_si512(&keys.tag_mask[i])),
                                _mm512_load_si512(&keys.tag[i]));
    hits = _mm512_mask_cmple_epu16_mask(
        hits, _mm512_sub_epi16(destination_port, _mm512_load_si512(&keys.destination_port[i])),
        _mm512_load_si512(&keys.destination_port_span[i]));
    hits = _mm512_mask_cmple_epu16_mask(
        hits, _mm512_sub_epi16(source_port, _mm512_load_si512(&keys.source_port[i])),
        _mm512_load_si512(&keys.source_port_span[i]));
    if (hits == 0) continue;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = i + 16 * half;
      auto some = static_cast<__mmask16>(hits >> (16 * half));
      some = _mm512_mask_cmple_epu32_mask(
          some, _mm512_sub_epi32(source, _mm512_load_si512(&keys.source[at])),
          _mm512_load_si512(&keys.source_span[at]));
      some = _mm512_mask_cmple_epu32_mask(
          some, _mm512_sub_epi32(destination, _mm512_load_si512(&keys.destination[at])),
          _mm512_load_si512(&keys.destination_span[at]));
      bits |= std::uint64_t{some} << at;
    }
  }
  return bits;
}

namespace {

__attribute__((target("avx2"))) __m256i load(const void* at) {
  return _mm256_load_si256(static_cast<const __m256i*>(at));
}
__attribute__((target("avx2"))) __m256i at_most_32(__m256i value, __m256i limit) {
  return _mm256_cmpeq_epi32(_mm256_min_epu32(value, limit), value);
}
__attribute__((target("avx2"))) __m256i at_most_16(__m256i value, __m256i limit) {
  return _mm256_cmpeq_epi16(_mm256_min_epu16(value, limit), value);
}

}  // namespace

__attribute__((target("avx2"))) std::uint64_t scan_block_avx2(const BlockKeys& keys,
                                                              const BlockPoint& point) {
  const __m256i tag = _mm256_set1_epi16(static_cast<short>(point.tag));
  const __m256i source_port = _mm256_set1_epi16(static_cast<short>(point.source_port));
  const __m256i destination_port = _mm256_set1_epi16(static_cast<short>(point.destination_port));
  const __m256i source = _mm256_set1_epi32(static_cast<int>(point.source));
  const __m256i destination = _mm256_set1_epi32(static_cast<int>(point.destination));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kBlock; i += 16) {
    __m256i hits =
        _mm256_cmpeq_epi16(_mm256_and_si256(tag, load(&keys.tag_mask[i])), load(&keys.tag[i]));
    hits = _mm256_and_si256(
        hits, at_most_16(_mm256_sub_epi16(destination_port, load(&keys.destination_port[i])),
                         load(&keys.destination_port_span[i])));
    hits =
        _mm256_and_si256(hits, at_most_16(_mm256_sub_epi16(source_port, load(&keys.source_port[i])),
                                          load(&keys.source_port_span[i])));
    if (_mm256_testz_si256(hits, hits) != 0) continue;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = i + 8 * half;
      const __m128i part =
          half == 0 ? _mm256_castsi256_si128(hits) : _mm256_extracti128_si256(hits, 1);
      __m256i some = _mm256_cvtepi16_epi32(part);
      some = _mm256_and_si256(some, at_most_32(_mm256_sub_epi32(source, load(&keys.source[at])),
                                               load(&keys.source_span[at])));
      some = _mm256_and_si256(some,
                              at_most_32(_mm256_sub_epi32(destination, load(&keys.destination[at])),
                                         load(&keys.destination_span[at])));
      const auto mask = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(some)));
      bits |= std::uint64_t{mask} << at;
    }
  }
  return bits;
}

#endif

}  // namespace rules::classifier
