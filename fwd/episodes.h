// Episodes: stretches of time in which the kernel's copy of the policy decided packets, because the
// workers couldn't or were spared. Pure: fed with the copy's counters and the time. Each packet that
// the copy has decided belongs to exactly one episode.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fwd/kernel/table.h"

namespace fwd {

// Why packets came to the copy, from what weighs most.
enum class CopyReason : std::uint8_t {
  Restart,     // the workers, or their table, had only begun
  NoAnswer,    // the lease had run out: a worker, or all of us, didn't come round
  BufferFull,  // a queue's socket had no room
  QueueFull,   // by elimination: no counter of the kernel tells it (NFQA_CFG_F_FAIL_OPEN)
  Shed,        // a source was let past the queue
};
inline constexpr std::size_t kCopyReasons = 5;
std::string_view to_string(CopyReason reason);  // "restart", "queue_full"

// What was seen at one moment.
struct CopyLook {
  std::chrono::steady_clock::time_point at;
  kernel::CopyCounters counters;  // as they stand
  bool restart = false;           // since the last look the workers, or the table, have begun
  bool no_lease = false;          // or the lease had run out
  std::uint64_t overruns = 0;     // of the queues' sockets, ever
};

struct Episode {
  std::chrono::steady_clock::time_point began;  // as it was noticed
  std::chrono::steady_clock::time_point last;   // when the copy last had something to do
  kernel::CopyCounters packets;
  std::array<bool, kCopyReasons> reasons{};

  CopyReason main_reason() const;
};

class Episodes {
 public:
  // An episode is over when the copy has had nothing to do for so long.
  static constexpr std::chrono::seconds kQuiet{3};

  enum class Change : std::uint8_t {
    None,
    Began,
    Quiet  // the counters are to be taken and end() to be called
  };
  Change look(const CopyLook& look);

  // `taken`: the counters once more; from now on they count from 0.
  Episode end(const kernel::CopyCounters& taken);

  const std::optional<Episode>& current() const { return current_; }
  const kernel::CopyCounters& seen() const { return last_; }    // by the last look
  std::uint64_t count() const { return count_; }                // with the current one
  const kernel::CopyCounters& total() const { return total_; }  // likewise

 private:
  void add(const kernel::CopyCounters& counters);
  void note_reasons(const CopyLook& look);

  std::optional<Episode> current_;
  kernel::CopyCounters last_;
  kernel::CopyCounters total_;
  std::uint64_t overruns_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace fwd
