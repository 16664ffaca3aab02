#include "fwd/limit_records.h"

#include <algorithm>

namespace fwd {

std::optional<audit::VerdictRecord> limit_record(const kernel::LimitEvent& event,
                                                 const engine::ActivePolicy& active,
                                                 std::int64_t realtime_ns) {
  if (event.slot == 0) return std::nullopt;
  const auto found = std::ranges::find(active.limit_slots, event.slot);
  if (found == active.limit_slots.end()) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(found - active.limit_slots.begin());
  const rules::Decision decision{rules::Action::Limit, rules::DecidedBy::Rule, index};
  if (!active.recorded(decision)) return std::nullopt;

  audit::VerdictRecord record;
  record.realtime_ns = realtime_ns;
  record.policy_version = active.version;
  record.interface_index = event.interface_index;
  record.decided_by = audit::DecidedBy::KernelCopy;
  record.judgement.outcome = event.refused ? engine::Outcome::Drop : engine::Outcome::Approve;
  record.judgement.reason = event.refused ? engine::Reason::RateLimit : engine::Reason::Rule;
  if (event.refused && active.mode == Mode::Observe)
    record.judgement.instead = engine::Outcome::Approve;
  record.judgement.decision = decision;
  record.judgement.direction = event.hook;
  if (const auto packet = rules::decode(event.packet)) {
    record.judgement.packet = *packet;
    record.judgement.decoded = true;
    record.sampled_out = !event.refused && active.sampled_out(decision, *packet);
  } else {
    record.judgement.malformed = packet.error();
  }
  return record;
}

}  // namespace fwd
