// The linear scan in wide registers: the rules' fields one array each, 16 rules a step. What a classifier may fall back to,
// and what hard rule sets are measured against.
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
  using Column = std::vector<std::uint32_t>;

  Column source_, source_span_, destination_, destination_span_;
  Column ports_, source_port_span_, destination_port_span_;  // source port in the upper half
  Column protocol_, protocol_mask_;
};

}  // namespace bench
