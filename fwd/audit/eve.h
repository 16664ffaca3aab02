// Suricata's EVE (etc/schema.json of Suricata 8), for collectors that have a pipeline for it: what was
// refused is an alert, what was accepted a flow that begins, its end a flow that is closed, everything
// else an engine's message.
// The schema lets nothing be added but where Suricata's own users name things, so what is ours alone
// stands in metadata.flowvars, the last member. fwd-audit(5) describes every field.
#pragma once

#include "fwd/audit/community_id.h"
#include "fwd/audit/encoder.h"
#include "fwd/audit/text.h"

namespace fwd::audit {

class EveEncoder final : public Encoder {
 public:
  EveEncoder(std::string_view hostname, InterfaceNames interface_names);

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
  void append_time(std::string& out, std::int64_t time_ns);
  void append_interface(std::string& out, const VerdictRecord& record) const;
  void append_type(std::string& out, std::string_view type) const;
  void begin_message(std::string& out, std::int64_t time_ns, std::string_view level);

  std::string hostname_;  // as a JSON string
  InterfaceNames interface_names_;
  TimeText time_;
  CommunityId community_id_;
};

}  // namespace fwd::audit
