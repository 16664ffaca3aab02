// Writes so many records to FILE, one after the other on one processor, and prints how many a second of
// its processor time: `ours`, the audit log's way from the ring through encoder and chain to the file;
// or `spdlog`, its basic file logger, the lines that `ours` wrote to FILE before, to FILE.spdlog.
//   audit_tool ours|spdlog FILE RECORDS
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "fwd/audit/drain.h"
#include "tests/bench/stopwatch.h"

namespace {

using namespace fwd::audit;

constexpr std::size_t kRing = 8192;
constexpr std::int64_t kStart_ns = 1'787'220'930'000'000'000;
constexpr std::int64_t kBetween_ns = 3000;

rules::Policy policy() {
  rules::Policy policy;
  policy.sources = std::make_shared<const rules::SourceTree>(
      rules::SourceTree{.main = {"policy.fw", ""}, .includes = {}});
  for (int number = 0; number < 1000; ++number) {
    rules::Rule rule;
    rule.id = "9c1f02ab5d3e7" + std::to_string(100 + number % 900);
    rule.comment = "rule " + std::to_string(number);
    policy.rules.push_back(rule);
  }
  return policy;
}

// Refused connections from many sources under many rules.
VerdictRecord record(std::size_t number) {
  VerdictRecord record;
  record.realtime_ns = kStart_ns + static_cast<std::int64_t>(number) * kBetween_ns;
  record.duration_ns = 40'000;
  record.policy_version = 1;
  record.interface_index = 2;
  record.judgement.outcome = fwd::engine::Outcome::Drop;
  record.judgement.reason = fwd::engine::Reason::Rule;
  record.judgement.decision = {rules::Action::Deny, rules::DecidedBy::Rule,
                               static_cast<std::uint32_t>(number % 1000)};
  record.judgement.decoded = true;
  rules::Packet& packet = record.judgement.packet;
  packet.source = *rules::parse_address("203.0.113.7");
  packet.source.low ^= number % 65536;
  packet.destination = *rules::parse_address("10.0.0.11");
  packet.protocol = rules::protocol::kTcp;
  packet.hop_limit = 52;
  packet.has_ports = true;
  packet.source_port = static_cast<std::uint16_t>(1024 + number % 60'000);
  packet.destination_port = 3306;
  packet.tcp_flags = 0x02;
  return record;
}

double ours(const std::string& path, std::size_t records) {
  auto file = LogFile::open(path);
  if (!file) return 0;
  Drain drain({1, kRing, 0},
              make_encoder(Format::Ecs, "web01", [](std::uint32_t) { return std::string("eth0"); }),
              std::move(*file), {}, {});
  drain.learn(PolicyNames(policy(), 1));
  std::vector<VerdictRecord> batch;
  for (std::size_t number = 0; number < kRing; ++number) batch.push_back(record(number));
  const double start = bench::cpu_seconds();
  for (std::size_t done = 0; done < records; done += batch.size()) {
    drain.ring(0).push(batch);
    drain.sample();
    drain.run(false);
  }
  const double seconds = bench::cpu_seconds() - start;
  return static_cast<double>(drain.counters().written) / seconds;
}

double theirs(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  const auto logger = spdlog::basic_logger_st("bench", path + ".spdlog", true);
  logger->set_pattern("%v");
  const double start = bench::cpu_seconds();
  for (const std::string& line : lines) logger->info(std::string_view(line));
  logger->flush();
  return static_cast<double>(lines.size()) / (bench::cpu_seconds() - start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string side = argc == 4 ? argv[1] : "";
  const std::size_t records = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if (records == 0 || (side != "ours" && side != "spdlog")) {
    std::fputs("usage: audit_tool ours|spdlog FILE RECORDS\n", stderr);
    return 2;
  }
  std::printf("%.0f\n", side == "ours" ? ours(argv[2], records) : theirs(argv[2]));
  return 0;
}
