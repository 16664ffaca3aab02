// Adds up the records of a log in bounded memory, one at a time: take() each line, then finish().
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/log/record.h"
#include "ctl/log/services.h"
#include "ctl/report/counter.h"
#include "ctl/report/report.h"
#include "ctl/report/slots.h"

namespace ctl::report {

struct Range {
  std::optional<Time> from;
  std::optional<Time> to;
};

class Tally {
 public:
  explicit Tally(const Range& range);

  void take(std::string_view line);
  Report finish();

 private:
  struct Host {
    std::uint64_t sequence = 0;  // of the last line
    Time last;
    std::optional<Time> stopped;
    std::optional<Time> fallen_back;
    std::string fallback;
  };
  struct Pair {
    std::uint64_t accepted = 0;
    std::uint64_t denied = 0;
    std::uint64_t bytes = 0;
    Pair& operator+=(const Pair& other);
  };
  struct Slot {
    ByCause denied{};
    std::map<std::size_t, Pair> services;  // by their number
    Slot& operator+=(const Slot& other);
  };

  struct RuleDetail {
    std::string name;
    std::string place;
  };

  bool follows(Host& host, const log::Record& record);
  void take_verdict(const log::Record& record);
  void take_flow(const log::Record& record);
  void take_denied(const log::Record& record, const std::string& service);
  void take_health(Host& host, const log::Record& record);
  void add_episode(Episode::Kind kind, Time begin, Time end, const log::Record& record,
                   std::string text);
  std::size_t number_of(const std::string& service);
  void finish_services();
  Ranked ranked_rule(const std::string& id, std::uint64_t count) const;
  void finish_tops();

  Range range_;
  log::Parser parser_;
  log::Services services_;
  Report report_;
  std::map<std::string, Host, std::less<>> hosts_;
  Slots<Slot> slots_;
  std::map<std::string, std::size_t, std::less<>> service_numbers_;
  std::vector<std::string> service_names_;
  std::vector<Pair> service_totals_;
  Counter sources_;
  Counter denied_services_;
  Counter pairs_;  // "source service"
  Counter rules_;
  std::map<std::string, RuleDetail, std::less<>> rule_details_;
};

}  // namespace ctl::report
