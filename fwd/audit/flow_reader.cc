#include "fwd/audit/flow_reader.h"

#include <cstdlib>
#include <utility>

#include "fwd/clock.h"

namespace fwd::audit {
namespace {

constexpr std::int64_t kLookEvery_ns = 1'000'000'000;

}  // namespace

FlowReader::FlowReader(std::unique_ptr<FlowSource> source, std::uint32_t lines_per_second)
    : source_(std::move(source)), folder_(lines_per_second), looked_ns_(realtime_ns()) {}

bool FlowReader::read(Drain& drain, bool last) {
  const std::size_t room = drain.room_for_flows();
  if (room == 0) return false;
  const std::int64_t now_ns = realtime_ns();
  for (const FlowFold& fold : folder_.close_before(now_ns)) drain.note(fold);
  const std::size_t taken = source_->read(room, [&](const FlowRecord& record) {
    if (folder_.take(record, now_ns)) drain.note(record);
  });
  if (last) {
    for (const FlowFold& fold : folder_.close()) drain.note(fold);
  }
  if (last || std::abs(now_ns - looked_ns_) >= kLookEvery_ns) tell_lost(drain, now_ns);
  return taken != 0;
}

void FlowReader::tell_lost(Drain& drain, std::int64_t now_ns) {
  const std::uint64_t lost = source_->lost();
  if (lost != told_) drain.note(FlowGap{looked_ns_, now_ns, lost - told_});
  told_ = lost;
  looked_ns_ = now_ns;
}

}  // namespace fwd::audit
