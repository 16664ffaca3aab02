#include "fwd/audit/resume.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/core.h>
#include <sys/stat.h>

#include "fwd/clock.h"
#include "fwd/log.h"
#include "rules/count.h"

namespace fwd::audit {
namespace {

using ctl::api::ChainEnd;
using ctl::api::ledger::Progress;
using ctl::api::ledger::Totals;

// The file that was written last, where it has another name by now: renamed, and its writer killed
// before it noticed. Nothing where it is the present one, or gone.
std::optional<LogFile> renamed(const LogFile& present, const Progress& progress) {
  const FileIdentity wanted{progress.device, progress.inode};
  if (wanted.inode == 0 || present.identity() == wanted) return std::nullopt;
  std::error_code error;
  const auto folder = std::filesystem::absolute(present.path()).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    struct stat status {};
    if (lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (FileIdentity{status.st_dev, status.st_ino} != wanted) continue;
    if (auto file = LogFile::open(entry.path())) return std::move(*file);
  }
  return std::nullopt;
}

void add(LinesAfter& sum, const LinesAfter& more) {
  sum.written += more.written;
  sum.folded += more.folded;
  sum.lost += more.lost;
  if (more.end.sequence > sum.end.sequence) sum.end = more.end;
}

// What reached the disk and not the ledger.
Result<LinesAfter> unnoted(const Progress& progress, const LogFile& present,
                           const std::optional<LogFile>& earlier) {
  LinesAfter sum;
  if (earlier) {
    const auto lines = earlier->lines_after(progress.sequence);
    if (!lines) return std::unexpected(lines.error());
    add(sum, *lines);
  }
  const auto lines = present.lines_after(std::max(progress.sequence, sum.end.sequence));
  if (!lines) return std::unexpected(lines.error());
  add(sum, *lines);
  return sum;
}

GapReason reason_of(std::uint32_t number) {
  const auto reason = static_cast<GapReason>(number);
  return reason == GapReason::DiskFull || reason == GapReason::WriteError ? reason
                                                                          : GapReason::Killed;
}

// What the log's end should be, and isn't.
std::optional<std::string> damage(const Progress& progress, const ChainEnd& found) {
  if (found.sequence < progress.sequence) {
    return fmt::format("the audit log ends with line {}, but {} were written: the rest is missing",
                       found.sequence, rules::count(progress.sequence, "line"));
  }
  if (found.sequence == progress.sequence && found.hash != progress.hash)
    return fmt::format("line {} of the audit log isn't the one that was written", found.sequence);
  return std::nullopt;
}

void tell_torn(Resumption& told, std::size_t bytes) {
  told.events.push_back({HealthType::Info, "repair",
                         fmt::format("the last line of the audit log was incomplete: {} cut off",
                                     rules::count(bytes, "byte was", "bytes were"))});
}

void tell_damage(Resumption& told, std::string what) {
  log::error("audit: {}", what);
  told.events.push_back({HealthType::Info, "damage", std::move(what)});
}

// Without knowledge of what was counted.
Resumption start_anew(Ledger& ledger, const LogFile& file, const LogTail& tail) {
  Resumption told{.end = tail.end, .gaps = {}, .events = {}};
  const std::uint64_t owed = tail.torn_bytes != 0 ? 1 : 0;
  if (owed != 0)
    told.gaps.push_back({tail.modified_ns, tail.modified_ns, owed, GapReason::TornLine});
  ledger.begin(file.path(), {}, owed,
               {.sequence = told.end.sequence,
                .hash = told.end.hash,
                .device = file.identity().device,
                .inode = file.identity().inode,
                .time_ns = realtime_ns()});
  return told;
}

// Those of the life that ends here have their gap told in the next one, and count as lost there.
Totals add_life(const Ledger& ledger, const LinesAfter& lines, const Progress& progress,
                std::uint64_t& missing) {
  const auto& life = ledger.life();
  std::uint64_t decided = life.owed;
  for (const auto& lane : life.lanes) decided += lane.decided;
  const std::uint64_t written = progress.written + lines.written;
  const std::uint64_t folded = progress.folded + lines.folded;
  const std::uint64_t lost = progress.told + lines.lost;
  missing = decided - std::min(decided, written + folded + lost);
  Totals sum = life.before;
  sum.decided += written + folded + lost;
  sum.written += written;
  sum.folded += folded;
  sum.lost += lost;
  return sum;
}

}  // namespace

Result<Resumption> resume(Ledger& ledger, LogFile& file) {
  const auto tail = file.recover();
  if (!tail) return std::unexpected(tail.error());
  if (!ledger.continues()) return start_anew(ledger, file, *tail);

  const Progress progress = ledger.progress();
  const auto earlier = renamed(file, progress);
  const auto lines = unnoted(progress, file, earlier);
  if (!lines) return std::unexpected(lines.error());
  Resumption told;
  if (tail->torn_bytes != 0) tell_torn(told, tail->torn_bytes);
  // Of a file that is gone nothing can be said. A new one may have its number.
  const bool same = file.identity() == FileIdentity{progress.device, progress.inode};
  const bool found = earlier || (same && !file.made());
  if (found && lines->end.sequence == 0) {
    auto end = earlier ? earlier->end() : Result<ChainEnd>(tail->end);
    if (end && tail->end.sequence > end->sequence) end = tail->end;
    auto what = end ? damage(progress, *end) : std::optional(end.error().message());
    if (what) tell_damage(told, *std::move(what));
  }
  told.end = lines->end.sequence != 0 ? lines->end : ChainEnd{progress.sequence, progress.hash};

  const std::int64_t now = realtime_ns();
  std::uint64_t missing = 0;
  const Totals before = add_life(ledger, *lines, progress, missing);
  if (missing != 0) {
    told.gaps.push_back(
        {std::min(progress.time_ns, now), now, missing, reason_of(progress.reason)});
  }
  ledger.begin(file.path(), before, missing,
               {.sequence = told.end.sequence,
                .hash = told.end.hash,
                .device = file.identity().device,
                .inode = file.identity().inode,
                .time_ns = now});
  return told;
}

}  // namespace fwd::audit
