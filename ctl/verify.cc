#include "ctl/verify.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/core.h>

#include "ctl/api/audit_ledger.h"
#include "ctl/log/files.h"
#include "ctl/log/reader.h"
#include "rules/count.h"

namespace ctl {
namespace {

std::string lines_text(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("line {} is missing", first)
                       : fmt::format("lines {} to {} are missing", first, last);
}

// Nothing where there is none, or it can't be read.
std::optional<KnownEnd> read_ledger(const std::string& directory) {
  std::ifstream stream(directory + "/" + api::ledger::kFileName, std::ios::binary);
  auto file = std::make_unique<api::ledger::File>();
  std::vector<char> bytes(sizeof *file);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return std::nullopt;
  std::memcpy(static_cast<void*>(file.get()), bytes.data(), bytes.size());
  if (file->magic != api::ledger::kMagic || file->size != sizeof *file) return std::nullopt;
  const auto& life = file->lives[file->which & 1U];
  const auto& progress = life.progress[life.which & 1U];
  const auto end = std::ranges::find(file->path, '\0');
  return KnownEnd{
      {file->path.begin(), end}, {progress.sequence, progress.hash}, progress.ended != 0};
}

bool same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error) && !error;
}

}  // namespace

void ChainCheck::begin_file(const std::string& name) {
  ++result_.files;
  file_ = name;
  line_ = 0;
}

void ChainCheck::find(std::string what) {
  if (result_.findings.size() < kMostFindings)
    result_.findings.push_back({file_, line_, std::move(what)});
}

void ChainCheck::take(std::string_view line) {
  ++line_;
  ++result_.lines;
  const bool whole = line.ends_with('\n');
  if (!whole && known_ && !known_->ended && file_ == known_->file) {
    result_.notes.emplace_back("the last line is being written");
    return;
  }
  const auto seal = api::seal_of(line);
  const auto facts = api::facts_of(line);
  if (!whole || !seal || facts.sequence == 0) {
    find(whole ? "this is no record of fwd's" : "the line is incomplete");
    return;
  }
  follow(*seal, facts);
  count(line, facts);
}

// Where the hash itself was changed, the next line still has the right one.
void ChainCheck::follow(const api::Seal& seal, const api::LineFacts& facts) {
  const api::ChainHash real = api::hash_of_line(seal.covered);
  if (real != seal.hash) find("the line was changed: its hash is not that of its bytes");
  const std::uint64_t expected = last_.sequence + 1;
  if (last_.sequence == 0) {
    result_.first = facts.sequence;
    if (facts.sequence == 1 && seal.prev != api::kNoHash)
      find("the first line doesn't begin a chain");
  } else if (facts.sequence > expected) {
    find(fmt::format("{} between {} and here", lines_text(expected, facts.sequence - 1), before_));
  } else if (facts.sequence < expected) {
    find(fmt::format("line {} comes after line {}: it was moved, or put in", facts.sequence,
                     last_.sequence));
  } else if (seal.prev != last_.hash && seal.prev != last_real_) {
    find(fmt::format("the line doesn't follow {}: one of them was changed or put in", before_));
  }
  last_ = {facts.sequence, seal.hash};
  last_real_ = real;
  before_ = fmt::format("{}:{}", file_, line_);
  if (known_ && facts.sequence == known_->end.sequence) at_known_ = seal.hash;
}

void ChainCheck::count(std::string_view line, const api::LineFacts& facts) {
  if (facts.dataset == api::Dataset::Verdict)
    (facts.folded ? counts_.folded : counts_.written) += facts.decisions;
  if (facts.dataset == api::Dataset::Gap) counts_.lost += facts.decisions;
  if (facts.dataset == api::Dataset::Other) check_counts(line);
}

// A checkpoint says what all lines before it add up to, also those before these files.
void ChainCheck::check_counts(std::string_view line) {
  const auto said = api::checkpoint_of(line);
  if (!said) return;
  const Counts offset{said->written - counts_.written, said->folded - counts_.folded,
                      said->lost - counts_.lost};
  const bool complete = result_.findings.empty();
  if (offset_ && *offset_ != offset && complete) {
    find(
        fmt::format("the checkpoint counts other decisions than the lines before it: "
                    "{} written, {} folded, {} lost",
                    said->written, said->folded, said->lost));
  }
  offset_ = offset;
}

void ChainCheck::check_end() {
  const api::ChainEnd& end = known_->end;
  if (last_.sequence < end.sequence) {
    find(fmt::format("the log ends here, but fwd has written more: {}",
                     lines_text(last_.sequence + 1, end.sequence)));
  } else if (at_known_ && *at_known_ != end.hash) {
    find(fmt::format("line {} is not the one that fwd has written: the chain was made anew",
                     end.sequence));
  } else if (last_.sequence > end.sequence && known_->ended) {
    find(fmt::format("{} after the last one that fwd has written",
                     rules::count(last_.sequence - end.sequence, "line comes", "lines come")));
  }
}

api::AuditVerified ChainCheck::finish() {
  if (known_) {
    check_end();
  } else {
    result_.notes.emplace_back("whether lines are missing at the end wasn't looked at");
  }
  if (result_.first > 1)
    result_.notes.push_back(fmt::format("the log begins with line {}", result_.first));
  result_.last = last_.sequence;
  result_.hash = api::text(last_.hash);
  result_.counts = {counts_.written + counts_.folded + counts_.lost, counts_.written,
                    counts_.folded, counts_.lost, 0};
  result_.intact = result_.findings.empty();
  return std::move(result_);
}

std::expected<api::AuditVerified, api::Error> verify_logs(std::vector<std::string> files,
                                                          const std::string& state_directory) {
  auto known = read_ledger(state_directory);
  auto sorted = log::in_order(std::move(files));
  if (!sorted) return std::unexpected(sorted.error());
  if (known) {
    const auto found = std::ranges::find_if(
        *sorted, [&](const std::string& file) { return same_file(file, known->file); });
    if (found == sorted->end()) known.reset();
    if (known) known->file = *found;
  }
  ChainCheck check(std::move(known));
  for (const std::string& file : *sorted) {
    auto reader = log::Reader::open(file);
    if (!reader) return std::unexpected(reader.error());
    check.begin_file(file);
    while (true) {
      const auto line = reader->next();
      if (!line) return std::unexpected(line.error());
      if (line->empty()) break;
      check.take(*line);
    }
  }
  return check.finish();
}

}  // namespace ctl
