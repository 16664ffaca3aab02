// Tells libFuzzer where the program has been. It wants clang's inline counters; the sources need
// g++ (clang 14 can't compile std::expected of anything with a destructor), which calls
// __sanitizer_cov_trace_pc() at each edge instead. libFuzzer's own does nothing, so link with
// -Wl,--wrap=__sanitizer_cov_trace_pc. This file itself is compiled without -fsanitize-coverage.
#include <array>
#include <cstddef>
#include <cstdint>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): their names
extern "C" {

void __sanitizer_cov_8bit_counters_init(std::uint8_t* start, std::uint8_t* stop);
void __wrap___sanitizer_cov_trace_pc();

// Compared floating point numbers: g++ reports them, libFuzzer has no use for them.
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace {

constexpr std::size_t kCounters = std::size_t{1} << 17U;

std::array<std::uint8_t, kCounters> counters;

[[gnu::constructor]] void register_counters() {
  __sanitizer_cov_8bit_counters_init(counters.data(), counters.data() + counters.size());
}

}  // namespace

void __wrap___sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  ++counters[(place ^ place >> 17U) % kCounters];
}
