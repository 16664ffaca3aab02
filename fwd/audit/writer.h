// The audit log's way in: workers push decisions, one thread writes them. Order of use: open(),
// policy() before the first worker judges by it, stop() after the last worker has ended.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fwd/audit/drain.h"
#include "fwd/audit/event.h"
#include "fwd/audit/flow_reader.h"
#include "fwd/audit/output.h"
#include "fwd/audit/resume.h"
#include "fwd/engine/active_policy.h"
#include "fwd/engine/record_sink.h"
#include "fwd/system_error.h"

namespace fwd::audit {

// A receiver beside the file.
struct OutputSettings {
  std::string name;  // one word
  std::string path;  // of its socket
  Output::Frame frame;
};

struct WriterSettings {
  std::string path;
  std::string state_directory = {};  // has the ledger; empty: nothing outlives the process
  std::string hostname;
  Format format = Format::Ecs;
  unsigned workers = 1;
  // Between one thread and the writer; rounded up to a power of two.
  std::size_t ring_records = 8192;
  std::uint32_t lines_per_second = 0;  // see Budget
  bool block_when_full = false;        // see RecordSink::unrecorded_may_pass()
  std::uint64_t rotate_size = 0;       // in bytes; 0: somebody else rotates
  unsigned keep = 30;                  // rotated files
  std::vector<OutputSettings> outputs = {};
  InterfaceNames interface_names;
  Owners owners = {};  // see Drain::Settings
};

class Writer final : public engine::RecordSink {
 public:
  // Cuts off a torn last line, goes on with the chain of the last whole one, and writes that
  // auditing starts, and what the daemon before couldn't tell.
  static Result<std::unique_ptr<Writer>> open(WriterSettings settings);
  ~Writer() override;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Each ring has one producer at a time: workers are 0 to workers - 1, the main thread pushes as
  // control(), who changes the policy by push_change().
  std::size_t push(unsigned worker, std::span<const VerdictRecord> records) noexcept override;
  bool push(unsigned worker, const VerdictRecord& record) noexcept {
    return push(worker, {&record, 1}) == 1;
  }
  bool unrecorded_may_pass() const noexcept override {
    return !refusing_.load(std::memory_order_relaxed);
  }
  unsigned control() const noexcept { return static_cast<unsigned>(drain_.ring_count() - 2); }

  // Of a connection that a change cuts: there may be more at once than the ring takes, so it waits for the writer.
  void push_change(const VerdictRecord& record);

  // Before any record of that version is pushed. A commit that fails afterwards leaves its version
  // to the next one.
  void policy(const std::shared_ptr<const engine::ActivePolicy>& active);
  void event(HealthEvent event);
  void event(AdminEvent event);
  // From here on the log has the ends of connections, too.
  void flows(std::unique_ptr<FlowSource> source);

  // After the file has been renamed: what was pushed before may still go to the old one, nothing is
  // lost. On an error the old file stays in use. The writer finds it out by itself within a second.
  Result<void> reopen();

  Counters counters() const { return drain_.counters(); }
  LogState state() const;

  // Writes what waits, and that auditing ends. What the file doesn't take is counted as lost.
  void stop();

 private:
  // Brought by other threads for the next pass.
  struct Inbox {
    std::vector<PolicyNames> policies;
    std::vector<HealthEvent> events;
    std::vector<AdminEvent> changes;
    std::optional<LogFile> file;
    std::unique_ptr<FlowSource> flows;
  };

  Writer(WriterSettings settings, LogFile file, Ledger ledger, const Resumption& before,
         int wake_fd);

  unsigned changes() const noexcept { return static_cast<unsigned>(drain_.ring_count() - 1); }
  void run();
  Drain::Progress pass(bool last);
  bool flush_outputs();
  void end_outputs();
  void take_inbox();
  void look_after_file();
  void rotate();
  bool moved_away();
  void finish();
  void sleep(int milliseconds);
  void wait(int milliseconds, bool for_flows = false);
  void wake() const noexcept;

  const std::string path_;
  const std::uint32_t lines_per_second_;
  const bool block_when_full_;
  const std::uint64_t rotate_size_;
  const unsigned keep_;
  const int wake_fd_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refusing_{false};  // the file takes nothing, and nobody is to pass unrecorded
  std::mutex mutex_;                   // of the next two
  Inbox inbox_;
  FileIdentity current_;             // of the file in use, or of the one in the inbox
  std::deque<Output> outputs_;       // before the drain that writes to them
  Drain drain_;                      // its rings are the workers', then control()'s and changes()'
  std::optional<FlowReader> flows_;  // of the writer's thread
  bool gave_up_ = false;             // push_change() has, on a file that takes nothing
  std::chrono::steady_clock::time_point next_look_;  // at the file; of the writer's thread
  std::string complaint_;                            // about it, told already; likewise
  std::thread thread_;
};

}  // namespace fwd::audit
