// Floods of connections' ends in few lines: so many in a second get a line each, the rest is told
// together, one line for what they have in common, with exact sums.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "fwd/audit/flow.h"

namespace fwd::audit {

class FlowFolder {
 public:
  // Kinds that are told apart in a second; those that come later are told without their rule.
  static constexpr std::size_t kMostFolds = 1024;

  // 0: every record gets a line that isn't sampled out.
  explicit FlowFolder(std::uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

  // Whether this record has a line of its own; otherwise it is counted here. `now_ns` since 1970.
  bool take(const FlowRecord& record, std::int64_t now_ns);

  // What was collected in seconds before that of `now_ns`.
  std::vector<FlowFold> close_before(std::int64_t now_ns);
  std::vector<FlowFold> close();

 private:
  struct Kind {
    std::uint64_t policy_version = 0;
    std::uint8_t by = 0;  // what decided, or that it isn't known
    std::uint32_t index = 0;
    std::uint8_t direction = 0;
    std::uint8_t protocol = 0;
    std::uint8_t family = 0;
    bool revoked = false;

    auto operator<=>(const Kind&) const = default;
  };
  static Kind kind_of(const FlowRecord& record);

  const std::uint32_t lines_per_second_;
  std::int64_t second_ = 0;
  std::uint64_t taken_ = 0;
  std::map<Kind, FlowFold> folds_;  // all of one second
};

}  // namespace fwd::audit
