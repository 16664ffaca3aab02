#include "tests/support/five_tuple.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include "tests/support/shared_data.h"

namespace tests {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_{seed} {}

  FiveTupleRule rule() {
    FiveTupleRule rule;
    const bool anybody = chance(2);
    if (!anybody) prefix(rule.source_first, rule.source_last);
    if (!anybody || chance(50)) prefix(rule.destination_first, rule.destination_last);
    static constexpr std::uint8_t kProtocols[] = {6, 6, 6, 17, 17, 1};
    if (chance(90)) rule.protocol = kProtocols[below(std::size(kProtocols))];
    if (rule.protocol && *rule.protocol != rules::protocol::kIcmp) {
      if (chance(10)) rule.source_ports = ports();
      if (chance(85)) rule.destination_ports = ports();
    }
    return rule;
  }

  FiveTupleHeader header(const FiveTupleRule& rule) {
    FiveTupleHeader header;
    header.source = within(rule.source_first, rule.source_last);
    header.destination = within(rule.destination_first, rule.destination_last);
    header.source_port = within(rule.source_ports);
    header.destination_port = within(rule.destination_ports);
    header.protocol = rule.protocol.value_or(rules::protocol::kUdp);
    return header;
  }

  bool chance(std::uint32_t percent) { return below(100) < percent; }
  std::uint32_t below(std::uint64_t n) {
    return static_cast<std::uint32_t>(
        std::uniform_int_distribution<std::uint64_t>{0, n - 1}(random_));
  }

 private:
  // Networks of a few sites, so that prefixes nest.
  void prefix(std::uint32_t& first, std::uint32_t& last) {
    const unsigned bits = chance(60) ? 32 : chance(70) ? 24 + below(8) : 8 + below(16);
    const std::uint32_t site = below(64) * 0x04000000U + (below(16) << 16U);
    const std::uint32_t host = bits == 32 ? 0 : ~0U >> bits;
    first = (site | below(0x10000)) & ~host;
    last = first | host;
  }

  rules::PortRange ports() {
    static constexpr std::uint16_t kServices[] = {22, 25, 53, 80, 123, 443, 1521, 3306, 5432, 8080};
    if (chance(70)) {
      const std::uint16_t port = kServices[below(std::size(kServices))];
      return {port, port};
    }
    if (chance(40)) return {1024, 65535};
    const auto first = static_cast<std::uint16_t>(below(60000));
    return {first, static_cast<std::uint16_t>(first + below(5000))};
  }

  std::uint32_t within(std::uint32_t first, std::uint32_t last) {
    if (chance(25)) return first;
    if (chance(33)) return last;
    return first + below(std::uint64_t{last} - first + 1);
  }
  std::uint16_t within(rules::PortRange range) {
    return static_cast<std::uint16_t>(
        within(std::uint32_t{range.first}, std::uint32_t{range.last}));
  }

  std::mt19937_64 random_;
};

// tar knows xz; a library for it would be needed nowhere else.
std::string unpack(const std::filesystem::path& archive, const std::string& member) {
  const std::string command = "tar -xJOf '" + archive.string() + "' " + member;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  std::string text;
  char buffer[65536];
  while (const std::size_t got = pipe ? std::fread(buffer, 1, sizeof buffer, pipe.get()) : 0)
    text.append(buffer, got);
  return text;
}

// "@82.106.21.56/32  193.230.211.16/32  0 : 65535  1715 : 1715  0x06/0xFF"
std::optional<FiveTupleRule> parse_rule(std::istringstream line) {
  std::string source;
  std::string destination;
  std::string colon;
  std::string protocol;
  FiveTupleRule rule;
  line >> source >> destination >> rule.source_ports.first >> colon >> rule.source_ports.last >>
      rule.destination_ports.first >> colon >> rule.destination_ports.last >> protocol;
  if (!line || source.size() < 2) return std::nullopt;
  const auto from = rules::parse_range(source.substr(1));
  const auto to = rules::parse_range(destination);
  if (!from || !to) return std::nullopt;
  rule.source_first = static_cast<std::uint32_t>(from->first.low);
  rule.source_last = static_cast<std::uint32_t>(from->last.low);
  rule.destination_first = static_cast<std::uint32_t>(to->first.low);
  rule.destination_last = static_cast<std::uint32_t>(to->last.low);
  const bool exact = protocol.ends_with("/0xFF");
  if (exact)
    rule.protocol = static_cast<std::uint8_t>(std::stoul(protocol.substr(0, 4), nullptr, 16));
  return rule;
}

std::optional<FiveTupleHeader> parse_header(std::istringstream line) {
  FiveTupleHeader header;
  unsigned protocol = 0;
  std::size_t expected = 0;
  line >> header.source >> header.destination >> header.source_port >> header.destination_port >>
      protocol >> expected;
  if (!line) return std::nullopt;
  header.protocol = static_cast<std::uint8_t>(protocol);
  header.expected = expected;
  return header;
}

template <typename Item>
bool read_lines(const std::string& text, std::vector<Item>& items,
                std::optional<Item> (*parse)(std::istringstream)) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto item = parse(std::istringstream{line});
    if (!item) return false;
    items.push_back(*item);
  }
  return !items.empty();
}

// One object for each range, as a resolver shares named sets.
class Ranges {
 public:
  rules::AddressMatch match(std::uint32_t first, std::uint32_t last) {
    if (first == 0 && last == ~0U) return {};
    auto& set = known_[{first, last}];
    if (!set) {
      const rules::AddressRange range{rules::Address::v4(first), rules::Address::v4(last)};
      set = std::make_shared<const rules::AddressSet>(std::vector{range});
    }
    return {set, {}};
  }

 private:
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::shared_ptr<const rules::AddressSet>>
      known_;
};

bool all(rules::PortRange range) {
  return range == rules::PortRange{0, 0xffff};
}

bool wild(const FiveTupleRule& rule) {
  return rule.source_first == 0 && rule.source_last == ~0U;
}

bool matches(const FiveTupleRule& rule, const FiveTupleHeader& header) {
  return rule.source_first <= header.source && header.source <= rule.source_last &&
         rule.destination_first <= header.destination &&
         header.destination <= rule.destination_last &&
         rule.source_ports.contains(header.source_port) &&
         rule.destination_ports.contains(header.destination_port) &&
         (!rule.protocol || *rule.protocol == header.protocol);
}

}  // namespace

FiveTupleSet generate_five_tuples(std::uint64_t seed, std::size_t rules, std::size_t headers) {
  Generator generator{seed};
  FiveTupleSet set{"generated", {}, {}};
  while (set.rules.size() < rules) set.rules.push_back(generator.rule());
  // As people write them: what holds for everybody comes last.
  std::stable_partition(set.rules.begin(), set.rules.end(),
                        [](const FiveTupleRule& rule) { return !wild(rule); });
  while (set.headers.size() < headers) {
    // Some that none of them was made for.
    const bool stray = generator.chance(5);
    set.headers.push_back(
        generator.header(stray ? FiveTupleRule{} : set.rules[generator.below(rules)]));
  }
  return set;
}

std::optional<FiveTupleSet> read_classbench(const std::string& name, const std::string& size) {
  const auto archive = shared_data("classbench/" + size + ".tar.xz");
  if (!archive) return std::nullopt;
  const std::string member = name + "_" + size;
  FiveTupleSet set{name, {}, {}};
  if (!read_lines(unpack(*archive, member + ".rules"), set.rules, &parse_rule)) return std::nullopt;
  if (!read_lines(unpack(*archive, member + ".trace"), set.headers, &parse_header))
    return std::nullopt;
  return set;
}

std::optional<std::size_t> first_match(const std::vector<FiveTupleRule>& rules,
                                       const FiveTupleHeader& header) {
  for (std::size_t index = 0; index < rules.size(); ++index) {
    if (matches(rules[index], header)) return index;
  }
  return std::nullopt;
}

// Ports stay out where they are wild: a policy's rule with ports doesn't match protocols without
// them.
rules::Policy to_policy(const std::vector<FiveTupleRule>& rules) {
  rules::Policy policy;
  Ranges ranges;
  for (const auto& from : rules) {
    rules::Rule rule;
    rule.action = rules::Action::Allow;
    rule.match.source = ranges.match(from.source_first, from.source_last);
    rule.match.destination = ranges.match(from.destination_first, from.destination_last);
    if (!all(from.source_ports)) rule.match.source_ports = {from.source_ports};
    if (!all(from.destination_ports)) rule.match.destination_ports = {from.destination_ports};
    if (from.protocol) rule.match.protocols = {{*from.protocol, {}, {}}};
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

rules::Packet to_packet(const FiveTupleHeader& header) {
  rules::Packet packet;
  packet.source = rules::Address::v4(header.source);
  packet.destination = rules::Address::v4(header.destination);
  packet.protocol = header.protocol;
  packet.has_ports = rules::has_ports(header.protocol);
  packet.source_port = header.source_port;
  packet.destination_port = header.destination_port;
  return packet;
}

}  // namespace tests
