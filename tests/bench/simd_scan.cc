#include "tests/bench/simd_scan.h"

#if defined(__x86_64__)
// Of g++ 12's own header: GCC bug 105593.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace bench {
namespace {

constexpr std::size_t kStep = 16;

struct Columns {
  const std::uint32_t *source, *source_span, *destination, *destination_span, *ports, *port_spans;
  const std::uint16_t* protocol;
  std::size_t rules;
};

struct Wanted {
  std::uint32_t source, destination, ports;
  std::uint8_t protocol;
};

#if defined(__x86_64__)
// Every field is looked at only where all before it matched some rule of the step.
__attribute__((target("avx512f,avx512bw,avx512vl,bmi"))) std::size_t scan_avx512(
    const Columns& c, const Wanted& wanted) {
  const __m512i source = _mm512_set1_epi32(static_cast<int>(wanted.source));
  const __m512i destination = _mm512_set1_epi32(static_cast<int>(wanted.destination));
  const __m512i ports = _mm512_set1_epi32(static_cast<int>(wanted.ports));
  const __m256i protocol = _mm256_set1_epi16(wanted.protocol);
  for (std::size_t at = 0; at < c.rules; at += kStep) {
    __mmask16 hits =
        _mm512_cmple_epu32_mask(_mm512_sub_epi32(source, _mm512_loadu_si512(c.source + at)),
                                _mm512_loadu_si512(c.source_span + at));
    if (hits == 0) continue;
    hits = _mm512_mask_cmple_epu32_mask(
        hits, _mm512_sub_epi32(destination, _mm512_loadu_si512(c.destination + at)),
        _mm512_loadu_si512(c.destination_span + at));
    if (hits == 0) continue;
    const __m512i difference = _mm512_sub_epi16(ports, _mm512_loadu_si512(c.ports + at));
    hits = _mm512_mask_cmpeq_epi32_mask(
        hits, _mm512_min_epu16(difference, _mm512_loadu_si512(c.port_spans + at)), difference);
    if (hits == 0) continue;
    const __m256i masks = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(c.protocol + at));
    hits = _mm256_mask_testn_epi16_mask(hits, _mm256_xor_si256(masks, protocol),
                                        _mm256_srli_epi16(masks, 8));
    if (hits != 0) return at + static_cast<std::size_t>(__builtin_ctz(hits));
  }
  return c.rules;
}

#define FWD_AVX2 __attribute__((target("avx2")))

FWD_AVX2 inline __m256i load(const std::uint32_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
FWD_AVX2 inline __m256i at_most(__m256i value, __m256i limit) {
  return _mm256_cmpeq_epi32(_mm256_min_epu32(value, limit), value);
}

FWD_AVX2 std::size_t scan_avx2(const Columns& c, const Wanted& wanted) {
  const __m256i source = _mm256_set1_epi32(static_cast<int>(wanted.source));
  const __m256i destination = _mm256_set1_epi32(static_cast<int>(wanted.destination));
  const __m256i ports = _mm256_set1_epi32(static_cast<int>(wanted.ports));
  const __m256i protocol = _mm256_set1_epi32(wanted.protocol);
  for (std::size_t at = 0; at < c.rules; at += kStep / 2) {
    __m256i hits = at_most(_mm256_sub_epi32(source, load(c.source + at)), load(c.source_span + at));
    if (_mm256_testz_si256(hits, hits) != 0) continue;
    hits = _mm256_and_si256(hits, at_most(_mm256_sub_epi32(destination, load(c.destination + at)),
                                          load(c.destination_span + at)));
    if (_mm256_testz_si256(hits, hits) != 0) continue;
    const __m256i difference = _mm256_sub_epi16(ports, load(c.ports + at));
    hits = _mm256_and_si256(
        hits,
        _mm256_cmpeq_epi32(_mm256_min_epu16(difference, load(c.port_spans + at)), difference));
    if (_mm256_testz_si256(hits, hits) != 0) continue;
    const __m256i masks =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(c.protocol + at)));
    const __m256i different =
        _mm256_and_si256(_mm256_xor_si256(masks, protocol), _mm256_srli_epi32(masks, 8));
    hits = _mm256_and_si256(hits, _mm256_cmpeq_epi32(different, _mm256_setzero_si256()));
    const int which = _mm256_movemask_ps(_mm256_castsi256_ps(hits));
    if (which != 0)
      return at + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(which)));
  }
  return c.rules;
}
#endif

std::size_t scan_portably(const Columns& c, const Wanted& wanted) {
  for (std::size_t at = 0; at < c.rules; ++at) {
    const auto from = static_cast<std::uint16_t>((wanted.ports >> 16U) - (c.ports[at] >> 16U));
    const auto to = static_cast<std::uint16_t>(wanted.ports - c.ports[at]);
    if (wanted.source - c.source[at] <= c.source_span[at] &&
        wanted.destination - c.destination[at] <= c.destination_span[at] &&
        from <= c.port_spans[at] >> 16U && to <= (c.port_spans[at] & 0xffffU) &&
        ((c.protocol[at] ^ wanted.protocol) & c.protocol[at] >> 8U) == 0)
      return at;
  }
  return c.rules;
}

std::size_t scan(const Columns& columns, const Wanted& wanted) {
#if defined(__x86_64__)
  static const bool kWide =
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  static const bool kHalf = __builtin_cpu_supports("avx2");
  if (kWide) return scan_avx512(columns, wanted);
  if (kHalf) return scan_avx2(columns, wanted);
#endif
  return scan_portably(columns, wanted);
}

std::uint32_t both(std::size_t source, std::size_t destination) {
  return static_cast<std::uint32_t>(source << 16U | destination);
}

}  // namespace

SimdScan::SimdScan(const std::vector<tests::FiveTupleRule>& rules) : rules_{rules.size()} {
  for (const auto& rule : rules) {
    source_.push_back(rule.source_first);
    source_span_.push_back(rule.source_last - rule.source_first);
    destination_.push_back(rule.destination_first);
    destination_span_.push_back(rule.destination_last - rule.destination_first);
    const auto& [from, to] = std::pair{rule.source_ports, rule.destination_ports};
    ports_.push_back(both(from.first, to.first));
    port_spans_.push_back(both(static_cast<std::size_t>(from.last - from.first),
                               static_cast<std::size_t>(to.last - to.first)));
    protocol_.push_back(rule.protocol ? static_cast<std::uint16_t>(0xff00 | *rule.protocol) : 0);
  }
  // Up to the end of the last step: what a search may find there is behind all rules.
  for (auto* column :
       {&source_, &source_span_, &destination_, &destination_span_, &ports_, &port_spans_})
    column->resize((rules_ + kStep - 1) / kStep * kStep);
  protocol_.resize(source_.size());
}

std::optional<std::size_t> SimdScan::first_match(const tests::FiveTupleHeader& header) const {
  const Columns columns{
      source_.data(), source_span_.data(), destination_.data(), destination_span_.data(),
      ports_.data(),  port_spans_.data(),  protocol_.data(),    rules_};
  const std::size_t rule =
      scan(columns, {header.source, header.destination,
                     both(header.source_port, header.destination_port), header.protocol});
  if (rule >= rules_) return std::nullopt;
  return rule;
}

}  // namespace bench
