// The `inet fwd_policy` table: the one place that writes it, reads it and takes it away. Firewall
// is the seam that the transaction is tested through; NftFirewall talks to the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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

// What chain B decided where no worker's verdict was in force, and what revoked connections still
// tried; packets since the table was made. A commit keeps the counts.
struct TableCounters {
  std::uint64_t copy_allowed = 0;
  std::uint64_t copy_denied = 0;
  std::uint64_t revoked = 0;
  std::uint64_t shed = 0;
  std::map<std::string, std::uint64_t> copy_rules = {};  // of copy_*, by the id of the rule
  std::uint64_t copy_default_in = 0;
  std::uint64_t copy_default_out = 0;
};

class Firewall {
 public:
  virtual ~Firewall() = default;

  // Writes the whole table as of this policy in one transaction, reads it back and compares. On an
  // error the kernel has what it had before. The base chains are made by the first commit and kept
  // by later ones.
  virtual Result<void> commit(const rules::Policy& policy, Generation generation, Mode mode) = 0;
  virtual Result<std::optional<TableState>> read() = 0;  // nothing where there is no table
  virtual Result<TableCounters> counters() = 0;
  virtual Result<void> renew_lease(std::chrono::milliseconds timeout) = 0;
  virtual Result<void> remove() = 0;  // also done where there is no table
  virtual QueueExpression queue_expression() const = 0;
};

// Probes the kernel for what the table needs; an error names the first thing that is missing.
// `settings` must be valid.
Result<std::unique_ptr<Firewall>> open_firewall(TableSettings settings);

}  // namespace fwd::kernel
