// Makes rates of what the daemon counts and of the audit log's records: record() each of them as it comes, and tick() at the
// end of each interval.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/rule.h"
#include "ctl/api/status.h"
#include "ctl/log/record.h"
#include "ctl/log/services.h"
#include "ctl/report/counter.h"
#include "ctl/top/view.h"

namespace ctl::top {

// What the daemon says at one moment.
struct Sample {
  api::Status status;
  api::Stats stats;
  api::RuleList rules;
};

class Board {
 public:
  static constexpr std::size_t kPast = 120;  // intervals that are remembered

  void record(const log::Record& record);

  // `seconds` since the last one. Without a sample, `trouble` says why.
  View tick(Time time, double seconds, const std::optional<Sample>& sample,
            const std::string& trouble);

 private:
  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t denied = 0;
    std::uint64_t both() const { return accepted + denied; }
  };
  struct Line {
    std::string detail;
    std::string action;
    Counts now;
    std::uint64_t total = 0;
    std::deque<double> past;
  };
  using Lines = std::map<std::string, Line, std::less<>>;

  void count_rules(const Sample& sample, bool comparable);
  void count_rule(const std::string& id, const std::string& name, const std::string& action,
                  const std::string& comment, std::uint64_t packets, bool observed,
                  bool comparable);
  void count_all(const Sample& sample, bool comparable);
  std::vector<Row> sources(double seconds);
  static Row advance(const std::string& name, Line& line, double seconds);
  static std::vector<Row> advance(Lines& lines, double seconds);

  log::Services names_;
  std::string host_;
  Lines services_;
  Lines rules_;
  Line all_;
  std::optional<api::Stats> stats_;               // the last
  std::uint32_t pid_ = 0;                         // whose counters these are
  std::uint64_t uptime_ = 0;                      // then
  std::map<std::string, std::uint64_t> packets_;  // by rule, the last
  std::map<std::string, std::uint64_t> refused_;  // over a rate, by rule, in this interval
  std::deque<report::Counter> denied_;            // by source, for each interval, this one the last
};

}  // namespace ctl::top
