// Whether audit files are what fwd has written. verify_logs() is the way in; ChainCheck is its
// pure part.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/audit.h"
#include "ctl/api/audit_chain.h"
#include "ctl/api/error.h"

namespace ctl {

// The end of the log as the daemon's state directory knows it.
struct KnownEnd {
  std::string file;  // that it is in
  api::ChainEnd end;
  bool ended = false;  // the daemon has stopped: nothing comes after it
};

// Takes the lines of one chain in the order of the files.
class ChainCheck {
 public:
  // A finding is kept for the first kMostFindings lines that have one.
  static constexpr std::size_t kMostFindings = 100;

  explicit ChainCheck(std::optional<KnownEnd> known) : known_(std::move(known)) {}

  void begin_file(const std::string& name);
  void take(std::string_view line);  // with its line end, where it has one
  api::AuditVerified finish();

 private:
  struct Counts {
    std::uint64_t written = 0;
    std::uint64_t folded = 0;
    std::uint64_t lost = 0;

    bool operator==(const Counts&) const = default;
  };

  void follow(const api::Seal& seal, const api::LineFacts& facts);
  void count(std::string_view line, const api::LineFacts& facts);
  void check_counts(std::string_view line);
  void check_end();
  void find(std::string what);

  std::optional<KnownEnd> known_;
  api::AuditVerified result_;
  std::string file_;
  std::uint64_t line_ = 0;
  std::string before_;  // the place of the line before
  api::ChainEnd last_;
  api::ChainHash last_real_ = api::kNoHash;  // what the hash of that line should have been
  std::optional<api::ChainHash> at_known_;   // the hash of the line that the daemon knows
  Counts counts_;
  std::optional<Counts> offset_;  // what came before these files, as of the last checkpoint
};

// In any order. `state_directory`: the daemon's; where its ledger can't be read, or is that of a
// file that isn't among these, the log's end isn't looked at.
std::expected<api::AuditVerified, api::Error> verify_logs(std::vector<std::string> files,
                                                          const std::string& state_directory);

}  // namespace ctl
