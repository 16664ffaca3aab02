// The audit ledger: a file in the daemon's state directory that the daemon maps into memory, so that
// what it has counted outlives it however it ends. fwctl reads it to see whether the end of a log is
// missing. All numbers are in the host's byte order; the file never leaves its host.
//
// What changes together is kept twice, with a number that says which of the two holds: a process
// that is killed between two stores leaves the one before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ctl/api/audit_chain.h"

namespace ctl::api::ledger {

inline constexpr const char* kFileName = "audit.ledger";
inline constexpr std::array<char, 8> kMagic = {'f', 'w', 'd', 'l', 'e', 'd', 'g', '1'};
inline constexpr std::size_t kLanes = 66;  // 64 workers, and two for the daemon itself
inline constexpr std::size_t kPathBytes = 1024;

// Of decisions that want a record, over the lives of all daemons that have ended:
// decided == written + folded + lost.
struct Totals {
  std::uint64_t decided = 0;
  std::uint64_t written = 0;  // with a line of their own
  std::uint64_t folded = 0;   // counted by a line that stands for several
  std::uint64_t lost = 0;
};

// What the audit file has of this life: as of its last write.
struct Progress {
  std::uint64_t written = 0;
  std::uint64_t folded = 0;
  std::uint64_t told = 0;  // as lost, by gap lines
  std::uint64_t sequence = 0;
  ChainHash hash = kNoHash;
  std::uint64_t device = 0;  // of the file
  std::uint64_t inode = 0;
  std::int64_t time_ns = 0;  // since 1970
  std::uint32_t ended = 0;   // 1: the daemon has stopped, and nothing came after this
  std::uint32_t reason = 0;  // what that daemon calls it when something is missing
};

// A worker's own cache line, raised before the verdict is sent.
struct alignas(64) Lane {
  std::uint64_t decided = 0;
};

// From one start to the next.
struct Life {
  Totals before;
  std::uint64_t owed = 0;   // lost in lives before, and told by no line yet
  std::uint64_t which = 0;  // of the next two
  std::array<Progress, 2> progress;
  std::array<Lane, kLanes> lanes;
};

struct File {
  std::array<char, 8> magic{};
  std::uint64_t size = 0;               // of this struct
  std::array<char, kPathBytes> path{};  // of the audit file, absolute, ends with a zero
  std::uint64_t which = 0;              // of the lives
  std::array<Life, 2> lives;
};

}  // namespace ctl::api::ledger
