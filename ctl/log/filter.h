// Which decisions somebody wants to see. Filter::parse() is the way in.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "ctl/api/error.h"
#include "ctl/log/record.h"
#include "rules/address.h"

namespace ctl::log {

inline constexpr const char* kFilterSynopsis =
    "[denied|accepted|ended] [in|out] [proto P] [ADDRESS[/LENGTH]] [port N[,N]] [rule ID|NAME]";

class Filter {
 public:
  // The words of the synopsis in any order. An address given twice is that of both ends.
  static std::expected<Filter, api::Error> parse(std::span<const std::string> words);

  // Connections' ends match where they are asked for, other records that aren't verdicts always do. Lines for many decisions lack ports, and some the
  // source: what they don't say doesn't match.
  bool matches(const Record& record) const;

 private:
  std::expected<bool, api::Error> take_pair(const std::string& name, const std::string* value);

  Verdict verdict_ = Verdict::Other;  // which is: any
  bool ended_ = false;                // not verdicts, but ends of connections
  std::string direction_;             // as the record says it; empty: any. Likewise the others
  std::string protocol_;
  std::vector<rules::AddressRange> addresses_;
  std::vector<std::uint16_t> ports_;
  std::string rule_;
};

}  // namespace ctl::log
