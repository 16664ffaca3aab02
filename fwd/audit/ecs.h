// The audit log's lines: one JSON object each, Elastic Common Schema 8.17, keys always in the same
// order. What is ours alone stands under "fwd", the last of them. fwd-audit(5) describes every
// field.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "fwd/audit/community_id.h"
#include "fwd/audit/event.h"
#include "fwd/audit/fold.h"
#include "fwd/audit/policy_names.h"
#include "fwd/audit/record.h"
#include "fwd/audit/text.h"

namespace fwd::audit {

// The name of a kernel interface index; empty where there is none (any more). Called by the
// writer's thread.
using InterfaceNames = std::function<std::string(std::uint32_t index)>;

// Of one thread. Each function appends one line with its line end.
class EcsEncoder {
 public:
  EcsEncoder(std::string_view hostname, InterfaceNames interface_names);

  // `policy` is that of record.policy_version, or null where it isn't known: then the record has
  // the version alone. Allocates nothing once `out` has grown and as long as interface names are
  // short.
  void append(std::string& out, const VerdictRecord& record, const PolicyNames* policy,
              std::uint64_t sequence);
  void append(std::string& out, const Fold& fold, const PolicyNames* policy,
              std::uint64_t sequence);
  void append(std::string& out, const Gap& gap, std::int64_t now_ns, std::uint64_t sequence);
  // `checkpoint` is told where the event is one.
  void append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
              std::uint64_t sequence, const Checkpoint& checkpoint = {});
  void append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
              std::uint64_t sequence);

 private:
  void begin(std::string& out, std::int64_t time_ns);
  void append_observer(std::string& out, const VerdictRecord& record) const;
  void append_community_id(std::string& out, const VerdictRecord& record);

  std::string hostname_;  // as a JSON string
  InterfaceNames interface_names_;
  TimeText time_;
  CommunityId community_id_;
};

}  // namespace fwd::audit
