// A policy of many rules as text: the first ones of a set in ClassBench's format where it is at hand
// (see tests/support/shared_data.h), else made up, and made up where the set has too few.
//     rules fwd RULES    a policy file
//     rules nft RULES    a ruleset for `nft -f` that means the same
// All rules allow. What could match the bench's own traffic (UDP to 5009, TCP to 80 and 5201 of
// 10.0.0.1, from 10.0.0.0/8) is left out but for the last two rules, which let it in.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

#include "tests/support/five_tuple.h"

namespace {

constexpr std::uint64_t kSeed = 20240902;
constexpr std::uint32_t kServer = 0x0a000001;
constexpr std::uint32_t kClientsFirst = 0x0a000000;
constexpr std::uint32_t kClientsLast = 0x0affffff;

struct Side {
  std::string address;  // empty: any
  std::string ports;
};

struct Line {
  std::string protocol;
  Side source;
  Side destination;
};

std::string address(std::uint32_t first, std::uint32_t last) {
  if (first == 0 && last == ~0U) return {};
  return to_string(rules::AddressRange{rules::Address::v4(first), rules::Address::v4(last)});
}

std::string ports(rules::PortRange range, char between) {
  if (range == rules::PortRange{0, 0xffff}) return {};
  if (range.first == range.last) return fmt::to_string(range.first);
  return fmt::format("{}{}{}", range.first, between, range.last);
}

bool matches_own_traffic(const tests::FiveTupleRule& rule) {
  return rule.source_first <= kClientsLast && rule.source_last >= kClientsFirst &&
         rule.destination_first <= kServer && rule.destination_last >= kServer;
}

Line line_of(const tests::FiveTupleRule& rule, char between) {
  const bool udp = rule.protocol == 17;
  return {udp ? "udp" : "tcp",
          {address(rule.source_first, rule.source_last), ports(rule.source_ports, between)},
          {address(rule.destination_first, rule.destination_last),
           ports(rule.destination_ports, between)}};
}

std::string fwd_side(const char* word, const Side& side) {
  const std::string where = side.address.empty() ? "any" : side.address;
  const std::string port = side.ports.empty() ? "" : " port " + side.ports;
  return fmt::format(" {} {}{}", word, where, port);
}

std::string fwd_text(const Line& line) {
  return fmt::format("allow in proto {}{}{}\n", line.protocol, fwd_side("from", line.source),
                     fwd_side("to", line.destination));
}

std::string nft_text(const Line& line) {
  std::string text = "    ";
  const auto add = [&](const char* field, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} {} ", field, value);
  };
  const std::string sport = line.protocol + " sport";
  const std::string dport = line.protocol + " dport";
  add("ip saddr", line.source.address);
  add("ip daddr", line.destination.address);
  // A port's own expression looks at the protocol as well.
  if (line.source.ports.empty() && line.destination.ports.empty())
    add("meta l4proto", line.protocol);
  add(sport.c_str(), line.source.ports);
  add(dport.c_str(), line.destination.ports);
  return text + "accept\n";
}

tests::FiveTupleSet best_set(std::size_t rules) {
  const char* size = rules <= 1000 ? "1k" : rules <= 10000 ? "10k" : "100k";
  auto set = tests::read_classbench("acl1", size);
  return set ? std::move(*set) : tests::FiveTupleSet{};
}

std::string policy(bool nft, std::size_t count) {
  auto set = best_set(count);
  const auto more = tests::generate_five_tuples(kSeed, 2 * count, 0);
  set.rules.insert(set.rules.end(), more.rules.begin(), more.rules.end());
  std::unordered_set<std::string> lines;
  std::string text;
  for (const auto& rule : set.rules) {
    if (lines.size() + 2 >= count) break;
    if (matches_own_traffic(rule)) continue;
    const Line line = line_of(rule, nft ? '-' : ':');
    // Either policy leaves out the same duplicates.
    if (lines.insert(fwd_text(line)).second) text += nft ? nft_text(line) : fwd_text(line);
  }
  return text;
}

constexpr const char* kNftHead = R"(table inet bench
delete table inet bench
table inet bench {
  chain input {
    type filter hook input priority 0; policy drop;
    iif 1 accept
    ct state established,related accept
    meta l4proto { icmp, icmpv6 } accept
)";
constexpr const char* kNftTail =
    "    udp dport 5009 accept\n    tcp dport { 80, 5201 } accept\n  }\n}\n";

}  // namespace

int main(int argc, char** argv) {
  const std::string language = argc == 3 ? argv[1] : "";
  if (language != "fwd" && language != "nft") {
    std::fputs("usage: rules fwd|nft RULES\n", stderr);
    return 2;
  }
  const bool nft = language == "nft";
  const std::string rules = policy(nft, std::strtoul(argv[2], nullptr, 10));
  const std::string head = nft ? kNftHead : "";
  const std::string tail = nft ? kNftTail : "allow in 5009/udp\nallow in 80,5201/tcp\n";
  std::fputs((head + rules + tail).c_str(), stdout);
}
