// What the daemon counts, as Prometheus reads it: text() is the way in. Manual: man/fwd-metrics.5.
//
// However much traffic there is, and whatever it looks like, the page has no more lines than the policy, the
// queues and the fixed sets of hooks, actions and reasons give it.
#pragma once

#include <cstddef>
#include <string>

#include "fwd/complaint.h"
#include "fwd/control/context.h"

namespace fwd::metrics {

// Rules from the policy's first one on that have a count of their own.
inline constexpr std::size_t kListedRules = 2000;

enum class Detail : std::uint8_t {
  Whole,
  NoRules  // for readers that nobody has authorised
};

class Metrics {
 public:
  // The context must outlive it.
  explicit Metrics(const control::Context& context) : context_(context) {}

  std::string text(Detail detail);  // any thread

  // GET /metrics for those who may read.
  control::Route route(Detail detail);

 private:
  const control::Context& context_;
  Complaint queues_{"metrics: the queues' counters"};
  Complaint conntrack_{"metrics: the size of conntrack's table"};
};

}  // namespace fwd::metrics
