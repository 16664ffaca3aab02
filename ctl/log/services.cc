#include "ctl/log/services.h"

#include <fmt/core.h>

namespace ctl::log {
namespace {

constexpr std::size_t kMostRules = 10000;

}  // namespace

std::string Services::of(const Record& record) {
  if (record.folded) return of_folded(record);
  std::string name(record.protocol);
  if (record.destination.port) name = names_.of(record.protocol, *record.destination.port);
  if (record.protocol.empty()) name = "malformed";
  if (record.direction == "egress") name += " out";
  learn(record, name);
  return name;
}

std::string Services::of_folded(const Record& record) const {
  if (record.rule_id.empty() || record.rule_id == "default")  // of any port
    return fmt::format("{}, ports not told{}",
                       record.protocol.empty() ? "malformed" : record.protocol,
                       record.direction == "egress" ? " out" : "");
  const auto known = by_rule_.find(record.rule_id);
  if (known != by_rule_.end() && !known->second.empty()) return known->second;
  return fmt::format("rule {}", record.rule_name.empty() ? record.rule_id : record.rule_name);
}

void Services::learn(const Record& record, const std::string& service) {
  const auto known = by_rule_.find(record.rule_id);
  if (known != by_rule_.end()) {
    if (known->second != service) known->second.clear();
  } else if (by_rule_.size() < kMostRules && !record.rule_id.empty()) {
    by_rule_.emplace(record.rule_id, service);
  }
}

}  // namespace ctl::log
