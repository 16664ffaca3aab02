#include "tests/bench/simd_scan.h"

#include <array>

namespace bench {
namespace {

constexpr std::size_t kStep = 16;

// Bit-wise and of comparisons of 16 rules; the compiler makes vector code of it for each processor.
#if defined(__x86_64__)
#define FWD_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define FWD_EACH_PROCESSOR
#endif

struct Columns {
  const std::uint32_t *source, *source_span, *destination, *destination_span;
  const std::uint32_t *ports, *source_port_span, *destination_port_span, *protocol, *protocol_mask;
  std::size_t rules;
};

FWD_EACH_PROCESSOR std::size_t scan(const Columns& c, std::uint32_t source,
                                    std::uint32_t destination, std::uint32_t source_port,
                                    std::uint32_t destination_port, std::uint32_t protocol) {
  for (std::size_t at = 0; at < c.rules; at += kStep) {
    std::array<std::uint32_t, kStep> hits;
    std::uint32_t any = 0;
    for (std::size_t i = 0; i < kStep; ++i) {
      const std::size_t rule = at + i;
      hits[i] = static_cast<std::uint32_t>(source - c.source[rule] <= c.source_span[rule]) &
                static_cast<std::uint32_t>(destination - c.destination[rule] <=
                                           c.destination_span[rule]) &
                static_cast<std::uint32_t>(source_port - (c.ports[rule] >> 16U) <=
                                           c.source_port_span[rule]) &
                static_cast<std::uint32_t>(destination_port - (c.ports[rule] & 0xffffU) <=
                                           c.destination_port_span[rule]) &
                static_cast<std::uint32_t>((protocol & c.protocol_mask[rule]) == c.protocol[rule]);
      any |= hits[i];
    }
    if (any == 0) continue;
    for (std::size_t i = 0; i < kStep; ++i) {
      if (hits[i] != 0) return at + i;
    }
  }
  return c.rules;
}

}  // namespace

SimdScan::SimdScan(const std::vector<tests::FiveTupleRule>& rules) {
  for (const auto& rule : rules) {
    source_.push_back(rule.source_first);
    source_span_.push_back(rule.source_last - rule.source_first);
    destination_.push_back(rule.destination_first);
    destination_span_.push_back(rule.destination_last - rule.destination_first);
    ports_.push_back(std::uint32_t{rule.source_ports.first} << 16U | rule.destination_ports.first);
    source_port_span_.push_back(
        static_cast<std::uint32_t>(rule.source_ports.last - rule.source_ports.first));
    destination_port_span_.push_back(
        static_cast<std::uint32_t>(rule.destination_ports.last - rule.destination_ports.first));
    protocol_.push_back(rule.protocol.value_or(0));
    protocol_mask_.push_back(rule.protocol ? 0xff : 0);
  }
  // Rules that match nothing, to the end of the last step.
  while (source_.size() % kStep != 0) {
    for (Column* column : {&source_, &source_span_, &destination_, &destination_span_, &ports_,
                           &source_port_span_, &destination_port_span_, &protocol_mask_})
      column->push_back(0);
    protocol_.push_back(1);
  }
}

std::optional<std::size_t> SimdScan::first_match(const tests::FiveTupleHeader& header) const {
  const Columns columns{source_.data(),
                        source_span_.data(),
                        destination_.data(),
                        destination_span_.data(),
                        ports_.data(),
                        source_port_span_.data(),
                        destination_port_span_.data(),
                        protocol_.data(),
                        protocol_mask_.data(),
                        source_.size()};
  const std::size_t rule = scan(columns, header.source, header.destination, header.source_port,
                                header.destination_port, header.protocol);
  if (rule == source_.size()) return std::nullopt;
  return rule;
}

}  // namespace bench
