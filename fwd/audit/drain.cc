#include "fwd/audit/drain.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fwd/audit/json.h"
#include "fwd/clock.h"
#include "fwd/log.h"

namespace fwd::audit {
namespace {

constexpr std::size_t kBatchBytes = 128 * 1024;
constexpr std::size_t kMostNotes = 1024;  // while the file takes nothing
constexpr std::int64_t kReportEvery_ns = 1'000'000'000;

// The clock that no one sets, beside the timestamp of the other one: into the object that ends the line.
void append_monotonic(std::string& line) {
  const std::string_view closing = ctl::api::closing_of(line);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  line.resize(line.size() - closing.size() - 1);
  if (line.back() != '{') line.push_back(',');
  line.append("\"monotonic\":");
  json::append_number(line, static_cast<std::uint64_t>(
                                std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
  line.append(closing).push_back('\n');
}

GapReason reason_of(int failure) {
  switch (failure) {
    case 0:
      return GapReason::RingFull;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return GapReason::DiskFull;
    default:
      return GapReason::WriteError;
  }
}

}  // namespace

Drain::Drain(const Settings& settings, std::unique_ptr<Encoder> encoder, LogFile file,
             Ledger ledger, const ctl::api::ChainEnd& end)
    : take_line_(settings.take_line),
      ledger_(std::move(ledger)),
      encoder_(std::move(encoder)),
      owners_(settings.owners),
      file_(std::move(file)),
      cursors_(settings.rings),
      last_report_ns_(settings.rings),
      chain_(end.hash),
      settled_budget_(settings.lines_per_second),
      budget_(settings.lines_per_second),
      end_(end) {
  for (std::size_t number = 0; number < settings.rings; ++number) {
    rings_.emplace_back(settings.ring_records, ledger_.lane(number));
  }
  text_.reserve(kBatchBytes + kBatchBytes / 8);
}

bool Drain::anything_waits() const noexcept {
  return std::ranges::any_of(rings_, [](const Ring& ring) { return ring.head() != ring.tail(); });
}

void Drain::replace(LogFile file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
  note_progress();
}

void Drain::sample() {
  for (std::size_t ring = 0; ring < rings_.size(); ++ring) {
    cursors_[ring] = {rings_[ring].tail(), rings_[ring].head()};
  }
}

// What is being folded is told by its own policy's names, before these are forgotten.
void Drain::learn(PolicyNames names) {
  {
    const std::lock_guard lock(mutex_);
    folder_.close();
  }
  policies_.add(std::move(names));
}

void Drain::note(HealthEvent event) {
  if (notes_.size() >= kMostNotes) {
    log::warning("audit: no room for an event while the file can't be written: {}", event.message);
    return;
  }
  notes_.push_back({realtime_ns(), std::move(event)});
}

void Drain::note(AdminEvent event) {
  if (notes_.size() >= kMostNotes) {
    log::warning("audit: no room for a change while the file can't be written: {}", event.change);
    return;
  }
  notes_.push_back({realtime_ns(), std::move(event)});
}

void Drain::note(const Gap& gap) {
  notes_.push_back({realtime_ns(), gap});
}

void Drain::note(const FlowRecord& record) {
  notes_.push_back({record.end_ns, record});
}

void Drain::note(const FlowFold& fold) {
  notes_.push_back({fold.last_ns, fold});
}

void Drain::note(const FlowGap& gap) {
  notes_.push_back({realtime_ns(), gap});
}

// Half of the notes are for others.
std::size_t Drain::room_for_flows() const {
  constexpr std::size_t kMostFlows = kMostNotes / 2;
  return failure_ != 0 || notes_.size() >= kMostFlows ? 0 : kMostFlows - notes_.size();
}

Drain::Progress Drain::run(bool last) {
  bool moved = false;
  const bool recovering = failure_ != 0;
  if (!write_notes() || !write_verdicts(moved) || !write_folds(last) ||
      !write_losses(last || recovering)) {
    return Progress::Blocked;
  }
  if (recovering) {
    log::info("audit: {} is written again", file_.path());
    set_failure(0);
  }
  policies_.forget_superseded();
  return moved ? Progress::Moved : Progress::Idle;
}

bool Drain::write_notes() {
  std::uint64_t noted = 0;
  for (const Note& note : notes_) {
    encode(note, noted);
    if (const auto* gap = std::get_if<Gap>(&note.what)) noted += gap->count;
    add_line(Kind::Note);
  }
  return write_batch();
}

void Drain::encode(const Note& note, std::uint64_t noted) {
  const std::uint64_t sequence = next_sequence();
  const auto encode_one = [&]<typename What>(const What& what) {
    if constexpr (std::is_same_v<What, FlowRecord>) {
      encoder_->append(text_, what, policies_.find(what.policy_version), sequence);
    } else if constexpr (std::is_same_v<What, FlowFold>) {
      encoder_->append(text_, what, policies_.find(what.first.policy_version), sequence);
    } else if constexpr (std::is_same_v<What, HealthEvent>) {
      encoder_->append(text_, what, note.time_ns, sequence,
                       what.checkpoint ? checkpoint(noted) : Checkpoint{});
    } else {
      encoder_->append(text_, what, note.time_ns, sequence);
    }
  };
  std::visit(encode_one, note.what);
}

// `noted`: the decisions of gaps that stand before it in the batch.
Checkpoint Drain::checkpoint(std::uint64_t noted) const {
  const std::lock_guard lock(mutex_);
  const auto& before = ledger_.life().before;
  Checkpoint sum{.decided = before.decided + counted().decided,
                 .written = before.written + written_,
                 .folded = before.folded + folded_,
                 .lost = before.lost + told_ + noted};
  sum.waiting = sum.decided - sum.written - sum.folded - sum.lost;
  return sum;
}

bool Drain::write_verdicts(bool& moved) {
  std::unique_lock lock(mutex_, std::defer_lock);  // held while one fold follows another
  for (std::size_t ring = earliest(); ring != rings_.size(); ring = earliest()) {
    const VerdictRecord& record = rings_[ring].at(cursors_[ring].next++);
    moved = true;
    if (budget_.take(record)) {
      if (lock.owns_lock()) lock.unlock();
      encoder_->append(text_, record, owners_ ? owners_(record) : Owner{},
                       policies_.find(record.policy_version), next_sequence());
      add_line(Kind::Verdict, ring);
      if (text_.size() >= kBatchBytes && !write_batch()) return false;
    } else if (!steps_.empty()) {
      steps_.push_back({Kind::ToFold, ring, text_.size(), {}});
    } else {
      if (!lock.owns_lock()) lock.lock();
      fold_oldest(rings_[ring]);
    }
  }
  if (lock.owns_lock()) lock.unlock();
  return write_batch();
}

// The ring whose next record is the oldest; rings_.size() where all are read up to the sample.
std::size_t Drain::earliest() const {
  std::size_t best = rings_.size();
  std::int64_t best_ns = 0;
  for (std::size_t ring = 0; ring < rings_.size(); ++ring) {
    if (cursors_[ring].next == cursors_[ring].end) continue;
    const std::int64_t time = rings_[ring].at(cursors_[ring].next).realtime_ns;
    if (best != rings_.size() && time >= best_ns) continue;
    best = ring;
    best_ns = time;
  }
  return best;
}

bool Drain::write_folds(bool now) {
  {
    const std::lock_guard lock(mutex_);
    now ? folder_.close() : folder_.close_before(realtime_ns());
  }
  for (const Fold& fold : folder_.closed()) {
    encoder_->append(text_, fold, policies_.find(fold.first.policy_version), next_sequence());
    add_line(Kind::Fold);
  }
  return write_batch();
}

// At most one report a second for each ring: a flood would otherwise be answered by a flood of
// gaps.
bool Drain::write_losses(bool now) {
  const std::int64_t time = realtime_ns();
  for (std::size_t ring = 0; ring < rings_.size(); ++ring) {
    const bool due = now || std::abs(time - last_report_ns_[ring]) >= kReportEvery_ns;
    const auto loss = due ? rings_[ring].losses() : std::nullopt;
    if (!loss) continue;
    last_report_ns_[ring] = time;
    const Gap gap{loss->from_ns, loss->to_ns, loss->count, reason_of(failure_)};
    encoder_->append(text_, gap, time, next_sequence());
    add_line(Kind::Loss, ring, *loss);
  }
  return write_batch();
}

void Drain::add_line(Kind kind, std::size_t ring, const Loss& loss) {
  const std::size_t begin = steps_.empty() ? 0 : steps_.back().end;
  append_monotonic(text_);
  chain_ = ctl::api::seal(text_, begin, chain_);
  steps_.push_back({kind, ring, text_.size(), loss});
  ++lines_;
}

bool Drain::write_batch() {
  if (steps_.empty()) return true;
  const Appended result = text_.empty() ? Appended{} : file_.append(text_);
  settle(result.kept);
  if (take_line_) pass_on(std::string_view(text_).substr(0, result.kept));
  text_.clear();
  steps_.clear();
  lines_ = 0;
  chain_ = end_.hash;
  budget_ = settled_budget_;
  if (result.error != 0) set_failure(result.error);
  return result.error == 0;
}

void Drain::pass_on(std::string_view lines) const {
  while (!lines.empty()) {
    const std::size_t length = lines.find('\n') + 1;
    take_line_(lines.substr(0, length));
    lines.remove_prefix(length);
  }
}

// Of the batch, the first `kept` bytes are in the file.
void Drain::settle(std::size_t kept) {
  const std::lock_guard lock(mutex_);
  bytes_ += kept;
  for (const Step& step : steps_) {
    if (step.end > kept) break;
    settle(step);
  }
  if (kept == 0) return;
  const auto last = ctl::api::seal_of(std::string_view(text_).substr(0, kept));
  end_.hash = last->hash;
  note_progress();
}

void Drain::note_progress(bool ended) {
  ledger_.note({.written = written_,
                .folded = folded_,
                .told = told_,
                .sequence = end_.sequence,
                .hash = end_.hash,
                .device = file_.identity().device,
                .inode = file_.identity().inode,
                .time_ns = realtime_ns(),
                .ended = ended ? 1U : 0U,
                .reason = static_cast<std::uint32_t>(failure_ == 0 ? GapReason::Killed
                                                                   : reason_of(failure_))});
}

void Drain::settle(const Step& step) {
  if (step.kind != Kind::ToFold) ++end_.sequence;
  switch (step.kind) {
    case Kind::Verdict:
      settled_budget_.take(rings_[step.ring].at(rings_[step.ring].tail()));
      rings_[step.ring].release(1);
      ++written_;
      break;
    case Kind::ToFold:
      fold_oldest(rings_[step.ring]);
      break;
    case Kind::Fold:
      folded_ += folder_.closed().front().packets;
      folder_.pop();
      break;
    case Kind::Loss:
      rings_[step.ring].acknowledge(step.loss);
      told_ += step.loss.count;
      break;
    case Kind::Note:
      if (const auto* gap = std::get_if<Gap>(&notes_.front().what)) told_ += gap->count;
      notes_.pop_front();
      break;
  }
}

// The oldest record of the ring. It needs no line in the file now, so it can leave at once.
void Drain::fold_oldest(Ring& ring) {
  const VerdictRecord& record = ring.at(ring.tail());
  settled_budget_.take(record);
  folder_.add(record);
  ring.release(1);
}

void Drain::set_failure(int error) {
  if (error != 0 && error != failure_) {
    log::error(
        "audit: writing {}: {}; records wait, and are counted as lost once the rings are full",
        file_.path(), std::strerror(error));
  }
  const std::lock_guard lock(mutex_);
  failure_ = error;
}

std::uint64_t Drain::abandon() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (Ring& ring : rings_) {
    const std::uint64_t waiting = ring.head() - ring.tail();
    ring.release(waiting);
    count += waiting;
  }
  count += folder_.abandon();
  abandoned_ += count;
  return count;
}

void Drain::end() {
  const std::lock_guard lock(mutex_);
  note_progress(true);
}

Counters Drain::counters() const {
  const std::lock_guard lock(mutex_);
  return counted();
}

LogState Drain::state() const {
  const std::lock_guard lock(mutex_);
  return {counted(),
          ledger_.life().before,
          end_,
          failure_ == 0 ? "" : SystemError{"writing " + file_.path(), failure_}.message(),
          {}};
}

Counters Drain::counted() const {
  const std::uint64_t owed = ledger_.life().owed;
  Counters total{.decided = owed,
                 .written = written_,
                 .folded = folded_,
                 .lost = abandoned_ + owed,
                 .waiting = folder_.packets(),
                 .bytes = bytes_};
  for (const Ring& ring : rings_) {
    const RingCounts counts = ring.counts();
    total.decided += counts.decided;
    total.lost += counts.lost;
    total.waiting += counts.waiting;
  }
  return total;
}

}  // namespace fwd::audit
