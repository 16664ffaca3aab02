// The kernel's copy of a rule set in ClassBench's format (see tests/support/shared_data.h), in the
// network namespace it is started in. Nobody serves the queue, so the copy decides.
//     copy load SET RULES                  writes the first RULES as `deny`, then one more; milliseconds
//     copy send SET INTERFACE MAC PACKETS  sends the set's headers; packets and seconds
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/table.h"
#include "rules/kernel_plan.h"
#include "tests/support/five_tuple.h"
#include "tests/support/plan_table.h"
#include "tests/support/rule_lists.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

rules::Policy policy_of(const tests::FiveTupleSet& set, std::size_t count) {
  auto rules = set.rules;
  rules.resize(std::min(count, rules.size()));
  rules::Policy policy = to_policy(rules);
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    tests::change(policy.rules, i, [&](rules::Rule& rule) {
      rule.id = fmt::format("{:016x}", i);
      rule.action = rules::Action::Deny;
    });
  }
  return policy;
}

bool commit(fwd::kernel::Firewall& firewall, const rules::Policy& policy, const char* what,
            fwd::kernel::Generation generation) {
  const auto start = Clock::now();
  const auto done = firewall.commit(policy, generation, fwd::Mode::Enforce);
  std::printf("%s %.0f ms\n", what, milliseconds_since(start));
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done.has_value();
}

int load(const tests::FiveTupleSet& set, std::size_t count) {
  rules::Policy policy = policy_of(set, count);
  const auto start = Clock::now();
  rules::KernelPlan plan;
  (void)plan.update(policy);
  std::printf("plan %.0f ms", milliseconds_since(start));
  const rules::nft::Table table = tests::table_of(plan);
  std::printf(", %zu tables, %zu chains\n", table.maps.size(), table.chains.size());
  auto firewall = fwd::kernel::open_firewall(
      {.queues = {0, 1}, .ct_mark = {}, .nflog_group = 4789, .state_directory = "/"});
  if (!firewall) {
    std::fprintf(stderr, "%s\n", firewall.error().message().c_str());
    return 1;
  }
  if (!commit(**firewall, policy, "whole", 1)) return 1;
  rules::Rule rule = policy.rules.front();
  rule.match.destination_ports = {{7, 7}};
  rule.match.protocols = {{17, {}, {}}};
  rule.id = "another";
  policy.rules.insert(count / 2, rule);
  return commit(**firewall, policy, "edit", 2) ? 0 : 1;
}

using Packet = std::array<std::uint8_t, 40>;

// As much of a transport as conntrack wants to see.
Packet packet_of(const tests::FiveTupleHeader& header) {
  Packet packet{};
  iphdr ip{};
  ip.version = 4;
  ip.ihl = 5;
  ip.ttl = 64;
  ip.protocol = header.protocol;
  ip.tot_len = htons(packet.size());
  ip.saddr = htonl(header.source);
  ip.daddr = htonl(header.destination);
  std::uint32_t sum = 0;
  std::array<std::uint16_t, 10> words{};
  std::memcpy(words.data(), &ip, sizeof ip);
  for (const auto word : words) sum += word;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16U);
  ip.check = static_cast<std::uint16_t>(~sum);
  std::memcpy(packet.data(), &ip, sizeof ip);
  const std::array<std::uint16_t, 2> ports{htons(header.source_port),
                                           htons(header.destination_port)};
  std::memcpy(packet.data() + 20, ports.data(), sizeof ports);
  if (header.protocol == 6) {
    packet[32] = 0x50;
    packet[33] = 0x02;
  } else if (header.protocol == 17) {
    packet[25] = 20;
  }
  return packet;
}

int send(const tests::FiveTupleSet& set, const char* interface, const char* mac,
         std::size_t count) {
  const int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_IP);
  to.sll_ifindex = static_cast<int>(if_nametoindex(interface));
  to.sll_halen = ETH_ALEN;
  const ether_addr* address = ether_aton(mac);
  if (fd < 0 || to.sll_ifindex == 0 || address == nullptr) return 1;
  std::memcpy(to.sll_addr, address, ETH_ALEN);

  std::vector<Packet> packets;
  for (const auto& header : set.headers) {
    const std::uint32_t first = header.source >> 24U;
    const std::uint32_t last = header.destination >> 24U;
    const bool odd = first == 0 || first == 127 || first >= 224 || last == 0 || last == 127 ||
                     last >= 224;  // the kernel takes none of those
    if (!odd && (header.protocol == 6 || header.protocol == 17))
      packets.push_back(packet_of(header));
  }
  if (packets.empty()) return 1;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    const Packet& packet = packets[i % packets.size()];
    (void)sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof to);
  }
  std::printf("%zu %.6f\n", count, milliseconds_since(start) / 1000);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[1] : "";
  const auto set = argc > 2 ? tests::read_classbench(argv[2], "10k") : std::nullopt;
  if (set && command == "load" && argc == 4) return load(*set, std::strtoul(argv[3], nullptr, 10));
  if (set && command == "send" && argc == 6)
    return send(*set, argv[3], argv[4], std::strtoul(argv[5], nullptr, 10));
  std::fputs("usage: copy load SET RULES | copy send SET INTERFACE MAC PACKETS\n", stderr);
  return 2;
}
