// A bounded flood of new flows: UDP over IPv4, every packet from another source address and port,
// at an offered rate.
//     flood INTERFACE DESTINATION-MAC DESTINATION PORT PACKETS PACKETS-PER-SECOND
// A rate of 0 means as fast as it goes. Prints the packets sent and the seconds that took.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

namespace {

using Clock = std::chrono::steady_clock;

// Small bursts, as a network card's interrupt would bring them.
constexpr unsigned kBurst = 8;
constexpr unsigned kFastBurst = 64;

// IPv4 and UDP headers and eight bytes of data, in network byte order.
struct __attribute__((packed)) Packet {
  std::uint8_t version_and_length = 0x45;
  std::uint8_t service = 0;
  std::uint16_t length = htons(36);
  std::uint16_t id = 0;
  std::uint16_t fragment = 0;
  std::uint8_t ttl = 64;
  std::uint8_t protocol = 17;
  std::uint16_t checksum = 0;
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t udp_length = htons(16);
  std::uint16_t udp_checksum = 0;  // none, as IPv4 allows
  std::array<char, 8> data{};
};
static_assert(sizeof(Packet) == 36);

std::uint16_t header_checksum(const Packet& packet) {
  std::array<std::uint16_t, 10> words{};
  std::memcpy(words.data(), &packet, sizeof words);
  std::uint32_t sum = 0;
  for (const auto word : words) sum += word;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

// Flow number -> source, all different for 2^23 of them, spread over 10.128.0.0/9.
void set_flow(Packet& packet, std::uint32_t flow) {
  packet.source = htonl(0x0a800000U | (flow * 2654435761U & 0x007fffffU));
  packet.source_port = htons(static_cast<std::uint16_t>(1024 + flow % 60000));
  packet.checksum = 0;
  packet.checksum = header_checksum(packet);
}

struct Options {
  sockaddr_ll link{};
  Packet packet;
  std::uint32_t packets = 0;
  std::uint32_t rate = 0;
};

bool parse(char** argv, Options& options) {
  std::array<unsigned, 6> mac{};
  options.link.sll_family = AF_PACKET;
  options.link.sll_protocol = htons(ETH_P_IP);
  options.link.sll_halen = 6;
  options.link.sll_ifindex = static_cast<int>(if_nametoindex(argv[1]));
  if (std::sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                  &mac[5]) != 6) {
    return false;
  }
  for (std::size_t at = 0; at < mac.size(); ++at) {
    options.link.sll_addr[at] = static_cast<unsigned char>(mac[at]);
  }
  if (inet_pton(AF_INET, argv[3], &options.packet.destination) != 1) return false;
  options.packet.destination_port = htons(static_cast<std::uint16_t>(std::atoi(argv[4])));
  options.packets = static_cast<std::uint32_t>(std::atol(argv[5]));
  options.rate = static_cast<std::uint32_t>(std::atol(argv[6]));
  return options.link.sll_ifindex != 0;
}

// Where the flood stands against its rate; waits by spinning, because sleeping comes in coarse
// steps.
void keep_pace(Clock::time_point start, std::uint32_t sent, std::uint32_t rate) {
  const auto due = start + std::chrono::nanoseconds(std::uint64_t{sent} * 1'000'000'000U / rate);
  while (Clock::now() < due) {
  }
}

int flood(int fd, Options& options) {
  std::array<Packet, kFastBurst> packets;
  std::array<iovec, kFastBurst> vectors{};
  std::array<mmsghdr, kFastBurst> messages{};
  packets.fill(options.packet);
  for (std::size_t at = 0; at < kFastBurst; ++at) {
    vectors[at] = {&packets[at], sizeof(Packet)};
    messages[at].msg_hdr.msg_name = &options.link;
    messages[at].msg_hdr.msg_namelen = sizeof options.link;
    messages[at].msg_hdr.msg_iov = &vectors[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  const unsigned burst = options.rate == 0 ? kFastBurst : kBurst;
  const auto start = Clock::now();
  std::uint32_t sent = 0;
  while (sent < options.packets) {
    for (unsigned at = 0; at < burst; ++at) set_flow(packets[at], sent + at);
    const int done = sendmmsg(fd, messages.data(), burst, 0);
    if (done < 0 && errno != ENOBUFS) {
      std::perror("send");
      return 1;
    }
    if (done > 0) sent += static_cast<std::uint32_t>(done);
    if (options.rate != 0) keep_pace(start, sent, options.rate);
  }
  const std::chrono::duration<double> seconds = Clock::now() - start;
  std::printf("%u %.6f\n", sent, seconds.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (argc != 7 || !parse(argv, options)) {
    std::fputs("usage: flood INTERFACE DESTINATION-MAC DESTINATION PORT PACKETS RATE\n", stderr);
    return 2;
  }
  const int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
  const int bypass = 1;  // no queueing discipline: what is measured comes behind
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass) < 0) {
    std::perror("open a packet socket");
    return 1;
  }
  return flood(fd, options);
}
