// Audit records as aligned lines for a person who watches them come.
#pragma once

#include <string>

#include "ctl/log/record.h"
#include "ctl/look.h"
#include "ctl/services.h"

namespace ctl {

class RecordLines {
 public:
  explicit RecordLines(const Look& look) : look_(look) {}

  // With its line end. A line with the date comes before the first record of each day.
  std::string text(const log::Record& record);

  // Something that isn't a record.
  std::string note(const std::string& words) const;

 private:
  std::string verdict_text(const log::Record& record);
  std::string packet_text(const log::Record& record);
  std::string service_of(const log::Record& record);

  Look look_;
  ServiceNames services_;
  std::string day_;
  std::size_t ends_width_ = 38;  // the widest so far
  std::size_t service_width_ = 8;
};

}  // namespace ctl
