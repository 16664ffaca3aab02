// Bodies of /v1/audit, and what fwctl audit verify says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ctl::api {

// In it fwctl says who has called it by sudo: the uid in SUDO_UID.
inline constexpr const char* kSudoUidHeader = "Fwctl-Sudo-Uid";

// Of decisions that want a record: decided == written + folded + lost + waiting.
struct AuditCounts {
  std::uint64_t decided = 0;
  std::uint64_t written = 0;  // with a line of their own
  std::uint64_t folded = 0;   // told by lines that stand for several
  std::uint64_t lost = 0;
  std::uint64_t waiting = 0;
};

// A receiver beside the file, and what became of the lines for it since the start.
struct AuditOutput {
  std::string name;
  std::string path;
  std::uint64_t sent = 0;
  std::uint64_t missed = 0;
  std::uint64_t waiting = 0;
  std::string trouble;  // empty: there is none
};

// GET /v1/audit
struct AuditReport {
  std::string file;
  std::uint64_t sequence = 0;    // of the last line
  std::string hash;              // likewise
  AuditCounts counts;            // since the state directory was made
  AuditCounts since_start;       // of this daemon
  std::uint64_t bytes_free = 0;  // where the file is
  std::string trouble;           // empty: there is none
  std::vector<AuditOutput> outputs;
};

// A place where a log isn't what was written.
struct AuditFinding {
  std::string file;
  std::uint64_t line = 0;
  std::string what;
};

struct AuditVerified {
  bool intact = false;
  std::uint64_t files = 0;
  std::uint64_t lines = 0;
  std::uint64_t first = 0;  // sequences
  std::uint64_t last = 0;
  std::string hash;    // of the last line
  AuditCounts counts;  // that these lines tell of
  std::vector<AuditFinding> findings;
  std::vector<std::string> notes;  // what wasn't looked at
};

}  // namespace ctl::api
