// What the audit's tests share: decisions as workers make them, a policy to name their rules, a
// full disk.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "fwd/audit/policy_names.h"
#include "fwd/audit/record.h"

namespace fwd::audit::test {

inline constexpr std::int64_t kTime_ns =
    1'787'220'930'123'456'789;  // 2026-08-20T10:15:30.123456789Z

inline rules::Address address(const std::string& text) {
  return rules::parse_address(text).value();
}

inline rules::Packet tcp(const std::string& source, std::uint16_t source_port,
                         const std::string& destination, std::uint16_t destination_port) {
  rules::Packet packet;
  packet.source = address(source);
  packet.destination = address(destination);
  packet.protocol = rules::protocol::kTcp;
  packet.hop_limit = 52;
  packet.has_ports = true;
  packet.source_port = source_port;
  packet.destination_port = destination_port;
  packet.tcp_flags = 0x02;
  return packet;
}

// The denied connection of the manual's example, decided by the policy's first rule.
inline VerdictRecord denied() {
  VerdictRecord record;
  record.realtime_ns = kTime_ns;
  record.duration_ns = 46000;
  record.policy_version = 7;
  record.interface_index = 2;
  record.judgement.outcome = engine::Outcome::Drop;
  record.judgement.reason = engine::Reason::Rule;
  record.judgement.decision = {rules::Action::Deny, rules::DecidedBy::Rule, 0};
  record.judgement.packet = tcp("203.0.113.7", 51514, "10.0.0.11", 3306);
  record.judgement.decoded = true;
  return record;
}

// One that tests tell from others by its time.
inline VerdictRecord at_time(std::int64_t realtime_ns) {
  VerdictRecord record = denied();
  record.realtime_ns = realtime_ns;
  return record;
}

inline rules::Policy policy(const std::string& comment = "replication") {
  rules::Policy result;
  rules::Rule rule;
  rule.id = "9c1f02ab5d3e7a10";
  rule.comment = comment;
  result.sources = std::make_shared<const rules::SourceTree>(
      rules::SourceTree{.main = {"policy.fw", ""}, .includes = {}});
  result.rules.push_back(rule, {.line = 12});
  rules::Rule ping;
  ping.id = "ping";
  result.builtin_rules.push_back(ping);
  return result;
}

inline std::string interface_name(std::uint32_t index) {
  return index == 2 ? "eth0" : "";
}

// Each line as its JSON object; throws where one isn't.
inline std::vector<nlohmann::json> parse_lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(nlohmann::json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (begin != text.size()) throw std::runtime_error("torn line: " + text.substr(begin));
  return lines;
}

inline std::size_t count_dataset(const std::vector<nlohmann::json>& lines,
                                 const std::string& name) {
  std::size_t count = 0;
  for (const auto& line : lines) count += line["event"]["dataset"] == name ? 1 : 0;
  return count;
}

// The decisions that gaps tell of.
inline std::uint64_t count_missing(const std::vector<nlohmann::json>& lines) {
  std::uint64_t count = 0;
  for (const auto& line : lines) {
    if (line["event"]["dataset"] == "fwd.audit_gap")
      count += line["fwd"]["count"].get<std::uint64_t>();
  }
  return count;
}

// While it lives, no file of this process grows beyond that many bytes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace fwd::audit::test
