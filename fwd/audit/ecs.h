// The default format: Elastic Common Schema 8.17, keys always in the same order. What is ours alone
// stands under "fwd", the last of them. fwd-audit(5) describes every field.
#pragma once

#include "fwd/audit/community_id.h"
#include "fwd/audit/encoder.h"
#include "fwd/audit/text.h"

namespace fwd::audit {

class EcsEncoder final : public Encoder {
 public:
  EcsEncoder(std::string_view hostname, InterfaceNames interface_names);

  void append(std::string& out, const VerdictRecord& record, const Owner& owner,
              const PolicyNames* policy, std::uint64_t sequence) override;
  void append(std::string& out, const Fold& fold, const PolicyNames* policy,
              std::uint64_t sequence) override;
  void append(std::string& out, const Gap& gap, std::int64_t now_ns,
              std::uint64_t sequence) override;
  void append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
              std::uint64_t sequence, const Checkpoint& checkpoint) override;
  void append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
              std::uint64_t sequence) override;
  void append(std::string& out, const FlowRecord& record, const PolicyNames* policy,
              std::uint64_t sequence) override;
  void append(std::string& out, const FlowFold& fold, const PolicyNames* policy,
              std::uint64_t sequence) override;
  void append(std::string& out, const FlowGap& gap, std::int64_t now_ns,
              std::uint64_t sequence) override;

 private:
  void begin(std::string& out, std::int64_t time_ns);
  void begin_observer(std::string& out) const;
  void append_observer(std::string& out, const VerdictRecord& record) const;
  void append_community_id(std::string& out, const rules::Packet& packet);

  std::string hostname_;  // as a JSON string
  InterfaceNames interface_names_;
  TimeText time_;
  CommunityId community_id_;
};

}  // namespace fwd::audit
