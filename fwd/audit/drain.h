// The way of records from the rings to the file, as one thread walks it: in time order, in batches
// of whole lines. A record leaves its ring only when its line is in the file, or when it is counted
// by a fold that waits for its own; so a full disk loses nothing before the rings are full too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "fwd/audit/encoder.h"
#include "fwd/audit/flow.h"
#include "fwd/audit/fold.h"
#include "fwd/audit/ledger.h"
#include "fwd/audit/log_file.h"
#include "fwd/audit/output.h"
#include "fwd/audit/owner.h"
#include "fwd/audit/policy_names.h"
#include "fwd/audit/ring.h"

namespace fwd::audit {

// Of decisions. decided == written + folded + lost + waiting, each counted on its own.
struct Counters {
  std::uint64_t decided = 0;
  std::uint64_t written = 0;  // with a line of their own
  std::uint64_t folded = 0;   // counted by a line that stands for several
  std::uint64_t lost = 0;
  std::uint64_t waiting = 0;
  std::uint64_t bytes = 0;  // of all lines, also those that are no decisions
};

// How the log is doing.
struct LogState {
  Counters counters;  // since the start; what a daemon before left untold counts as lost
  ctl::api::ledger::Totals before = {};  // over the lives of the daemons before
  ctl::api::ChainEnd end = {};           // the last line
  std::string trouble = {};              // what keeps lines from the file; empty where nothing does
  std::vector<OutputState> outputs = {};  // beside the file
};

// Of the socket that a record's connection begins or ends at on this host. Called by the writer's
// thread, for each line; what it returns is read before the next call.
using Owners = std::function<Owner(const VerdictRecord& record)>;

class Drain {
 public:
  // Gets each line, with its end, once it is in the file.
  using LineTaker = std::function<void(std::string_view line)>;

  struct Settings {
    std::size_t rings = 1;
    std::size_t ring_records = 8192;     // rounded up to a power of two
    std::uint32_t lines_per_second = 0;  // see Budget
    Owners owners = {};                  // none: all are unknown
    LineTaker take_line = {};
  };

  // `end` is the line that the next one follows.
  Drain(const Settings& settings, std::unique_ptr<Encoder> encoder, LogFile file, Ledger ledger,
        const ctl::api::ChainEnd& end);

  std::size_t ring_count() const { return rings_.size(); }
  Ring& ring(std::size_t number) noexcept { return rings_[number]; }
  bool anything_waits() const noexcept;

  enum class Progress : std::uint8_t { Idle, Moved, Blocked };

  // A pass is sample(), then whatever the following functions bring, then run(): what a record
  // speaks of is brought before the record is pushed, so it is known by the time the record is
  // read.
  void sample();
  void learn(PolicyNames names);
  void note(HealthEvent event);
  void note(const Gap& gap);
  void note(AdminEvent event);
  void note(const FlowRecord& record);
  void note(const FlowFold& fold);
  void note(const FlowGap& gap);
  // How many flows the next pass takes: none as long as the file takes nothing.
  std::size_t room_for_flows() const;
  void replace(LogFile file);
  const LogFile& file() const { return file_; }
  // `last`: gaps and folds are told now and not when their second is over.
  Progress run(bool last = false);

  // Counts as lost what the file doesn't take. Returns how many records that were.
  std::uint64_t abandon();
  // Notes that nothing comes any more.
  void end();

  Counters counters() const;  // by any thread
  LogState state() const;     // likewise

 private:
  // A step of the batch, taken when the text up to `end` is in the file.
  enum class Kind : std::uint8_t { Verdict, ToFold, Fold, Loss, Note };
  struct Step {
    Kind kind = Kind::Verdict;
    std::size_t ring = 0;  // of a verdict or a loss
    std::size_t end = 0;   // in text_
    Loss loss;
  };
  struct Note {
    std::int64_t time_ns = 0;
    std::variant<HealthEvent, Gap, AdminEvent, FlowRecord, FlowFold, FlowGap> what;
  };
  struct Cursor {
    std::uint64_t next = 0;
    std::uint64_t end = 0;
  };

  bool write_notes();
  void encode(const Note& note, std::uint64_t noted);
  bool write_verdicts(bool& moved);
  bool write_folds(bool now);
  bool write_losses(bool now);
  std::size_t earliest() const;
  void fold_oldest(Ring& ring);
  Checkpoint checkpoint(std::uint64_t noted) const;
  Counters counted() const;
  std::uint64_t next_sequence() const { return end_.sequence + lines_ + 1; }
  void add_line(Kind kind, std::size_t ring = 0, const Loss& loss = {});
  bool write_batch();
  void settle(std::size_t kept);
  void pass_on(std::string_view lines) const;
  void settle(const Step& step);
  void set_failure(int error);
  void note_progress(bool ended = false);

  const LineTaker take_line_;
  Ledger ledger_;  // has the rings' counts of what was decided
  std::deque<Ring> rings_;
  std::unique_ptr<Encoder> encoder_;
  const Owners owners_;
  LogFile file_;
  PolicyBook policies_;
  std::deque<Note> notes_;
  std::vector<Cursor> cursors_;               // by ring
  std::vector<std::int64_t> last_report_ns_;  // by ring

  std::string text_;  // the batch
  std::vector<Step> steps_;
  std::uint64_t lines_ = 0;    // in text_
  ctl::api::ChainHash chain_;  // of the last line in text_
  Budget settled_budget_;      // as of the records that have left their rings
  Budget budget_;              // as of the batch

  mutable std::mutex mutex_;  // held while records change from waiting to written, folded or lost
  Folder folder_;
  std::uint64_t written_ = 0;
  std::uint64_t folded_ = 0;
  std::uint64_t abandoned_ = 0;
  std::uint64_t told_ = 0;  // of those that are lost, by gaps
  ctl::api::ChainEnd end_;  // the last line in the file
  int failure_ = 0;  // errno of the last write; what fell out of the rings since then, did for that
  std::uint64_t bytes_ = 0;
};

}  // namespace fwd::audit
