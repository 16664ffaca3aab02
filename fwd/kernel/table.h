// The `inet fwd_policy` table: the one place that writes it, reads it and takes it away. Firewall
// is the seam that the transaction is tested through; NftFirewall talks to the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "fwd/kernel/marks.h"
#include "fwd/mode.h"
#include "fwd/system_error.h"
#include "rules/policy.h"

namespace fwd::kernel {

inline constexpr const char* kTableName = "fwd_policy";

struct QueueRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  unsigned count() const { return last - first + 1U; }
};

struct TableSettings {
  QueueRange queues;
  CtMark ct_mark;
  std::uint16_t nflog_group = 4789;
  std::string
      state_directory;  // written into the table's comment, so that a lone `fwd --disable` finds it
};

enum class QueueExpression : std::uint8_t { Native, Compat };

// What is found of a table that an earlier daemon left.
struct TableState {
  Generation generation = 1;
  std::string policy_hash;
  std::string state_directory = {};
  Mode mode = Mode::Enforce;
};

// What the kernel's copy decided because no worker had; packets.
struct CopyCounters {
  std::uint64_t allowed = 0;
  std::uint64_t denied = 0;
  std::uint64_t metered = 0;  // left to the meter of a `limit` rule
  std::uint64_t shed = 0;     // of all these, past the queue because their source is shed

  std::uint64_t decided() const { return allowed + denied + metered; }
  bool operator==(const CopyCounters&) const = default;
};

// Packets since the table was made. A commit keeps the counts.
struct TableCounters {
  CopyCounters copy;  // since it was last taken
  std::uint64_t revoked = 0;
  std::uint64_t limit_refused = 0;  // by the meters of `limit` rules
};

// What the copy decided, by rule, for as long as the rule has been in the table.
struct CopyHits {
  std::map<rules::RuleId, std::uint64_t> rules;
  std::uint64_t default_in = 0;
  std::uint64_t default_out = 0;
};

// What happens around the moment in which the kernel goes over to another policy: `send` hands over the
// transaction, which is encoded by then. Called again where it has to be made anew, because somebody else
// has changed nf_tables meanwhile, or what was sent is found different.
using Send = std::function<Result<void>()>;
using SwitchOver = std::function<Result<void>(const Send& send)>;

class Firewall {
 public:
  virtual ~Firewall() = default;

  // Writes the table as of this policy in one transaction, reads it back and compares. Large sets, to which nothing
  // refers before that, may have been filled in others just before. Where the kernel refuses, it has what it had
  // before; where what is read back differs, it has what it was sent, and only another commit can tell. The base
  // chains are made by the first commit and kept by later ones.
  virtual Result<void> commit(const rules::Policy& policy, Generation generation, Mode mode,
                              const SwitchOver& switch_over) = 0;
  Result<void> commit(const rules::Policy& policy, Generation generation, Mode mode) {
    return commit(policy, generation, mode, [](const Send& send) { return send(); });
  }
  virtual Result<std::optional<TableState>> read() = 0;  // nothing where there is no table
  // Whether there is a table. Costs little while nobody else changes any table of the host.
  virtual Result<bool> exists() = 0;
  virtual Result<TableCounters> counters() = 0;
  virtual Result<CopyCounters> take_copy_counters() = 0;  // and begins at 0; nothing is missed
  virtual Result<CopyHits> copy_hits(
      const rules::Policy& policy) = 0;  // of its rules: costly where there are many
  virtual Result<void> renew_lease(std::chrono::milliseconds timeout) = 0;
  // Their packets go past the queue for so long.
  virtual Result<void> shed(std::span<const rules::Address> sources,
                            std::chrono::milliseconds timeout) = 0;
  // What somebody else has changed in the table since the last commit; nothing where it is whole,
  // or where a commit is under way. Costs little while nobody changes any table of the host.
  virtual Result<std::optional<std::string>> damage() = 0;
  virtual Result<void> remove() = 0;  // also done where there is no table
  virtual QueueExpression queue_expression() const = 0;
};

// Probes the kernel for what the table needs; an error names the first thing that is missing.
// `settings` must be valid.
Result<std::unique_ptr<Firewall>> open_firewall(TableSettings settings);

}  // namespace fwd::kernel
