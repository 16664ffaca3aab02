#include "fwd/audit/flow_fold.h"

#include <algorithm>
#include <utility>

#include "fwd/clock.h"

namespace fwd::audit {
namespace {

void add(Traffic& sum, const Traffic& traffic) {
  sum.packets += traffic.packets;
  sum.bytes += traffic.bytes;
}

}  // namespace

FlowFolder::Kind FlowFolder::kind_of(const FlowRecord& record) {
  constexpr std::uint8_t kNone = 0xff;
  const auto number = [](auto value) { return static_cast<std::uint8_t>(value); };
  Kind kind{.policy_version = record.policy_version,
            .by = kNone,
            .direction = record.direction ? number(*record.direction) : kNone,
            .protocol = record.first.protocol,
            .family = number(record.first.family()),
            .revoked = record.revoked};
  if (record.decision) {
    kind.by = number(record.decision->by);
    kind.index = record.decision->index;
  }
  return kind;
}

bool FlowFolder::take(const FlowRecord& record, std::int64_t now_ns) {
  if (const auto second = second_of(now_ns); second != second_) {
    second_ = second;
    taken_ = 0;
  }
  const bool room = lines_per_second_ == 0 || taken_ < lines_per_second_;
  if (room && !record.sampled_out) {
    ++taken_;
    return true;
  }

  FlowRecord first = record;
  if (folds_.size() >= kMostFolds && !folds_.contains(kind_of(first))) first.decision.reset();
  FlowFold& fold = folds_.try_emplace(kind_of(first), FlowFold{.first = first}).first->second;
  fold.last_ns = std::max(fold.last_ns, record.end_ns);
  ++fold.connections;
  if (record.traffic) {
    add(fold.traffic.source, record.traffic->source);
    add(fold.traffic.destination, record.traffic->destination);
  }
  return false;
}

std::vector<FlowFold> FlowFolder::close_before(std::int64_t now_ns) {
  return second_of(now_ns) == second_ ? std::vector<FlowFold>{} : close();
}

std::vector<FlowFold> FlowFolder::close() {
  std::vector<FlowFold> closed;
  for (const auto& [kind, fold] : std::exchange(folds_, {})) closed.push_back(fold);
  return closed;
}

}  // namespace fwd::audit
