// A format of the audit log: how each kind of record becomes a line. make_encoder() is the way in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "fwd/audit/event.h"
#include "fwd/audit/flow.h"
#include "fwd/audit/fold.h"
#include "fwd/audit/format.h"
#include "fwd/audit/owner.h"
#include "fwd/audit/policy_names.h"
#include "fwd/audit/record.h"

namespace fwd::audit {

// The name of a kernel interface index; empty where there is none (any more). Called by the
// writer's thread.
using InterfaceNames = std::function<std::string(std::uint32_t index)>;

// Of one thread. Each function appends one JSON object with its line end. Its last member is an
// object, what is ours alone, for the drain to add the chain to.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  // `policy` is that of record.policy_version, or null where it isn't known: then the record has
  // the version alone. Allocates nothing once `out` has grown and as long as interface names are
  // short.
  virtual void append(std::string& out, const VerdictRecord& record, const Owner& owner,
                      const PolicyNames* policy, std::uint64_t sequence) = 0;
  virtual void append(std::string& out, const Fold& fold, const PolicyNames* policy,
                      std::uint64_t sequence) = 0;
  virtual void append(std::string& out, const Gap& gap, std::int64_t now_ns,
                      std::uint64_t sequence) = 0;
  // `checkpoint` is told where the event is one.
  virtual void append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
                      std::uint64_t sequence, const Checkpoint& checkpoint) = 0;
  virtual void append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
                      std::uint64_t sequence) = 0;
  // `policy` as above.
  virtual void append(std::string& out, const FlowRecord& record, const PolicyNames* policy,
                      std::uint64_t sequence) = 0;
  virtual void append(std::string& out, const FlowFold& fold, const PolicyNames* policy,
                      std::uint64_t sequence) = 0;
  virtual void append(std::string& out, const FlowGap& gap, std::int64_t now_ns,
                      std::uint64_t sequence) = 0;
};

std::unique_ptr<Encoder> make_encoder(Format format, std::string_view hostname,
                                      InterfaceNames interface_names);

}  // namespace fwd::audit
