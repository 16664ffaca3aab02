#include "fwd/audit/writer.h"

#include <array>
#include <chrono>
#include <system_error>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fwd/log.h"
#include "rules/count.h"

namespace fwd::audit {
namespace {

// After records came, the writer naps instead of asking to be woken, so that busy workers never
// call the kernel for it.
constexpr int kNapMs = 10;
constexpr int kSleepMs = 500;  // the longest that a loss isn't told, or a moved file not noticed
constexpr int kRetryMs = 200;  // until a file that refused is tried again
constexpr std::chrono::milliseconds kLookEvery{500};  // whether the file is still where it was

// Signals are the main thread's. SIGXFSZ is blocked by that, too: a file at its limit is an error
// of write(), no death.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Nobody waits for a record: who has the processor keeps it (SCHED_BATCH, sched(7)). Where a policy can't be chosen all is as before.
void yield_to_others() {
  const sched_param none{};
  if (sched_getscheduler(0) == SCHED_OTHER) sched_setscheduler(0, SCHED_BATCH, &none);
}

// A host without a ledger is filtered and audited all the same.
Ledger open_ledger(const std::string& directory) {
  if (directory.empty()) return {};
  auto ledger = Ledger::open(directory);
  if (ledger) return std::move(*ledger);
  log::error("audit: {}; after a crash nobody will know how many records are missing",
             ledger.error().message());
  return {};
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::open(WriterSettings settings) {
  auto file = LogFile::open(settings.path);
  if (!file) return std::unexpected(file.error());
  Ledger ledger = open_ledger(settings.state_directory);
  auto before = resume(ledger, *file);
  if (!before) return std::unexpected(before.error());
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return failed("make the audit writer's eventfd");
  std::unique_ptr<Writer> writer(
      new Writer(std::move(settings), std::move(*file), std::move(ledger), *before, wake_fd));
  try {
    writer->thread_ = std::thread(&Writer::run, writer.get());
  } catch (const std::system_error& error) {
    return failed("start the audit writer's thread", error.code().value());
  }
  return writer;
}

Writer::Writer(WriterSettings settings, LogFile file, Ledger ledger, const Resumption& before,
               int wake_fd)
    : path_(settings.path),
      lines_per_second_(settings.lines_per_second),
      block_when_full_(settings.block_when_full),
      rotate_size_(settings.rotate_size),
      keep_(settings.keep),
      wake_fd_(wake_fd),
      current_(file.identity()),
      drain_({settings.workers + 2, settings.ring_records, settings.lines_per_second,
              std::move(settings.owners),
              settings.outputs.empty() ? Drain::LineTaker() : [this](std::string_view line) {
                const auto now = std::chrono::steady_clock::now();
                for (Output& output : outputs_) output.take(line, now);
              }},
             make_encoder(settings.format, settings.hostname, std::move(settings.interface_names)),
             std::move(file), std::move(ledger), before.end) {
  for (OutputSettings& output : settings.outputs) {
    outputs_.emplace_back(std::move(output.name), std::move(output.path), std::move(output.frame));
  }
  for (const HealthEvent& event : before.events) drain_.note(event);
  for (const Gap& gap : before.gaps) drain_.note(gap);
  HealthEvent start{HealthType::Start, "start", "fwd starts"};
  start.checkpoint = true;
  drain_.note(std::move(start));
}

Writer::~Writer() {
  stop();
  close(wake_fd_);
}

std::size_t Writer::push(unsigned worker, std::span<const VerdictRecord> records) noexcept {
  const std::size_t pushed = drain_.ring(worker).push(records);
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) wake();
  return pushed;
}

// A file that takes nothing is waited for once; after that records are counted as lost like any other.
void Writer::push_change(const VerdictRecord& record) {
  constexpr std::chrono::seconds kPatience{1};
  Ring& ring = drain_.ring(changes());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!ring.has_room() && !gave_up_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    gave_up_ = std::chrono::steady_clock::now() > deadline;
  }
  gave_up_ = gave_up_ && !ring.has_room();
  push(changes(), record);
}

void Writer::policy(const std::shared_ptr<const engine::ActivePolicy>& active) {
  PolicyNames names(active->policy, active->version);
  const std::lock_guard lock(mutex_);
  inbox_.policies.push_back(std::move(names));
}

void Writer::event(HealthEvent event) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.events.push_back(std::move(event));
  }
  wake();
}

void Writer::event(AdminEvent event) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.changes.push_back(std::move(event));
  }
  wake();
}

void Writer::flows(std::unique_ptr<FlowSource> source) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.flows = std::move(source);
  }
  wake();
}

Result<void> Writer::reopen() {
  auto file = LogFile::open(path_);
  if (!file) return std::unexpected(file.error());
  {
    const std::lock_guard lock(mutex_);
    if (file->identity() == current_) return {};
    if (auto tail = file->recover(); !tail) return std::unexpected(tail.error());
    current_ = file->identity();
    inbox_.file = std::move(*file);
    // The first line of the new file, from which a restart takes the sequence even if no decision
    // follows.
    HealthEvent rotate{HealthType::Info, "rotate", "the audit log goes on in a new file"};
    rotate.checkpoint = true;
    inbox_.events.push_back(std::move(rotate));
  }
  wake();
  return {};
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  wake();
  thread_.join();
}

void Writer::run() {
  pthread_setname_np(pthread_self(), "fwd-audit");
  block_signals();
  yield_to_others();
  while (!stopping_.load()) {
    const Drain::Progress progress = pass(false);
    const bool blocked = progress == Drain::Progress::Blocked;
    refusing_.store(blocked && block_when_full_, std::memory_order_relaxed);
    if (blocked || std::chrono::steady_clock::now() >= next_look_) look_after_file();
    switch (progress) {
      case Drain::Progress::Idle:
        sleep(flush_outputs() ? kNapMs : kSleepMs);
        break;
      case Drain::Progress::Moved:
        flush_outputs();
        wait(kNapMs);
        break;
      case Drain::Progress::Blocked:
        flush_outputs();
        wait(kRetryMs);
        break;
    }
  }
  finish();
}

Drain::Progress Writer::pass(bool last) {
  drain_.sample();
  if (rotate_size_ != 0 && drain_.file().size() >= rotate_size_) rotate();
  const bool flowed = flows_ && flows_->read(drain_, last);
  take_inbox();
  const Drain::Progress progress = drain_.run(last);
  return flowed && progress == Drain::Progress::Idle ? Drain::Progress::Moved : progress;
}

void Writer::finish() {
  pass(true);
  flush_outputs();
  drain_.note({HealthType::End, "stop", "fwd stops", {}});
  pass(true);
  if (const auto lost = drain_.abandon(); lost != 0) {
    log::error("audit: {} lost: {} couldn't be written before the end",
               rules::count(lost, "record"), path_);
  }
  drain_.end();
  end_outputs();
}

// Whether one of them should be tried again soon. What there is to be told comes with the next pass.
bool Writer::flush_outputs() {
  bool hurry = false;
  for (Output& output : outputs_) {
    if (auto event = output.flush(std::chrono::steady_clock::now())) {
      drain_.note(*std::move(event));
      hurry = true;
    }
    hurry = hurry || output.hurries();
  }
  return hurry;
}

void Writer::end_outputs() {
  flush_outputs();
  for (Output& output : outputs_) {
    const std::uint64_t missed = output.end();
    if (missed == 0) continue;
    log::error("audit: {} missing in the {} at the end: {}",
               rules::count(missed, "line is", "lines are"), output.state().name,
               output.state().trouble);
  }
}

LogState Writer::state() const {
  LogState state = drain_.state();
  for (const Output& output : outputs_) state.outputs.push_back(output.state());
  return state;
}

// Somebody has renamed or deleted the file.
bool Writer::moved_away() {
  const std::lock_guard lock(mutex_);
  return identity_of(path_) != current_;
}

void Writer::look_after_file() {
  next_look_ = std::chrono::steady_clock::now() + kLookEvery;
  std::string complaint;
  if (moved_away()) {
    if (const auto reopened = reopen(); !reopened) complaint = reopened.error().message();
  }
  if (!complaint.empty() && complaint != complaint_) log::error("audit: {}", complaint);
  complaint_ = std::move(complaint);
}

void Writer::rotate() {
  if (const auto moved = make_way(path_, keep_)) {
    look_after_file();
  } else if (std::chrono::steady_clock::now() >= next_look_) {
    log::error("audit: {}", moved.error().message());
  }
}

void Writer::take_inbox() {
  Inbox inbox;
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
  }
  if (inbox.file) drain_.replace(std::move(*inbox.file));
  for (PolicyNames& names : inbox.policies) drain_.learn(std::move(names));
  for (HealthEvent& event : inbox.events) drain_.note(std::move(event));
  for (AdminEvent& event : inbox.changes) drain_.note(std::move(event));
  if (inbox.flows) flows_.emplace(std::move(inbox.flows), lines_per_second_);
}

void Writer::sleep(int milliseconds) {
  asleep_.store(true, std::memory_order_seq_cst);
  if (!drain_.anything_waits()) wait(milliseconds, true);
  asleep_.store(false, std::memory_order_seq_cst);
}

void Writer::wait(int milliseconds, bool for_flows) {
  std::array<pollfd, 2> wanted{pollfd{wake_fd_, POLLIN, 0}, pollfd{-1, POLLIN, 0}};
  if (for_flows && flows_) wanted[1].fd = flows_->fd();  // poll() passes over a negative one
  if (poll(wanted.data(), wanted.size(), milliseconds) <= 0 || wanted[0].revents == 0) return;
  eventfd_t count = 0;
  eventfd_read(wake_fd_, &count);
}

void Writer::wake() const noexcept {
  eventfd_write(wake_fd_, 1);  // can't fail: the counter is read long before it is full
}

}  // namespace fwd::audit
