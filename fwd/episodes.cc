#include "fwd/episodes.h"

#include <algorithm>
#include <utility>

namespace fwd {
namespace {

using kernel::CopyCounters;

constexpr std::array<std::string_view, kCopyReasons> kReasonNames = {
    "restart", "no_answer", "buffer_full", "queue_full", "shed"};

// What a counter has grown by; where it shrank it was made anew.
std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
  return now < before ? now : now - before;
}

CopyCounters grown(const CopyCounters& now, const CopyCounters& before) {
  return {grown(now.allowed, before.allowed), grown(now.denied, before.denied),
          grown(now.metered, before.metered), grown(now.shed, before.shed)};
}

void operator+=(CopyCounters& sum, const CopyCounters& more) {
  sum.allowed += more.allowed;
  sum.denied += more.denied;
  sum.metered += more.metered;
  sum.shed += more.shed;
}

}  // namespace

std::string_view to_string(CopyReason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

CopyReason Episode::main_reason() const {
  const auto* first = std::ranges::find(reasons, true);
  return static_cast<CopyReason>(first - reasons.begin());
}

Episodes::Change Episodes::look(const CopyLook& look) {
  const bool busy = look.counters != last_ || look.no_lease;
  if (!busy) {
    overruns_ = look.overruns;
    return current_ && look.at - current_->last >= kQuiet ? Change::Quiet : Change::None;
  }
  const bool begins = !current_;
  if (begins) {
    current_ = Episode{look.at, look.at, {}, {}};
    ++count_;
  }
  current_->last = look.at;
  add(look.counters);
  note_reasons(look);
  return begins ? Change::Began : Change::None;
}

Episode Episodes::end(const CopyCounters& taken) {
  add(taken);
  last_ = {};
  return *std::exchange(current_, std::nullopt);
}

void Episodes::add(const CopyCounters& counters) {
  const CopyCounters more = grown(counters, last_);
  last_ = counters;
  total_ += more;
  current_->packets += more;
}

void Episodes::note_reasons(const CopyLook& look) {
  const auto note = [this](CopyReason reason, bool applies) {
    current_->reasons[static_cast<std::size_t>(reason)] |= applies;
  };
  const CopyCounters& packets = current_->packets;
  note(CopyReason::Restart, look.restart);
  note(CopyReason::NoAnswer, look.no_lease);
  note(CopyReason::BufferFull, look.overruns != overruns_);
  note(CopyReason::Shed, packets.shed > 0);
  const auto& known = current_->reasons;
  const bool explained = std::ranges::any_of(
      std::array{CopyReason::Restart, CopyReason::NoAnswer, CopyReason::BufferFull},
      [&](CopyReason reason) { return known[static_cast<std::size_t>(reason)]; });
  note(CopyReason::QueueFull, !explained && packets.decided() > packets.shed);
  overruns_ = look.overruns;
}

}  // namespace fwd
