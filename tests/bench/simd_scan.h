// The linear scan in wide registers: the rules' fields one array each, compared 16 rules a step (8 with AVX2) until the step
// with the first match. What a classifier may fall back to, and what hard rule sets are measured against.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/five_tuple.h"

namespace bench {

class SimdScan {
 public:
  explicit SimdScan(const std::vector<tests::FiveTupleRule>& rules);

  std::optional<std::size_t> first_match(const tests::FiveTupleHeader& header) const;

 private:
  std::vector<std::uint32_t> source_, source_span_, destination_, destination_span_;
  std::vector<std::uint32_t> ports_, port_spans_;  // the source port in the upper half
  std::vector<std::uint16_t> protocol_;            // its mask in the upper byte
  std::size_t rules_;
};

}  // namespace bench
