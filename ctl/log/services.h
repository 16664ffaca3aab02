// Which service a record's connection is for.
#pragma once

#include <map>
#include <string>

#include "ctl/log/record.h"
#include "ctl/services.h"

namespace ctl::log {

class Services {
 public:
  // "https", "9000/udp", "icmp"; with " out" where this host connects. A line for many decisions tells no port: it is of the
  // service that its rule was seen with, else of the rule.
  std::string of(const Record& record);

 private:
  std::string of_folded(const Record& record) const;
  void learn(const Record& record, const std::string& service);

  ServiceNames names_;
  std::map<std::string, std::string, std::less<>> by_rule_;  // empty: several
};

}  // namespace ctl::log
