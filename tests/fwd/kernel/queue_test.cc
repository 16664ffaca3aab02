// The real NFQUEUE, in a network namespace of the test's own: UDP over loopback through two chains
// as the product has them, one that sets a class and queues, one behind it that lets through only
// what carries the verdict.
#include "fwd/kernel/queue.h"

#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <cap-ng.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "fwd/kernel/marks.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/queue_message.h"
#include "rules/packet.h"
#include "tests/support/netns.h"

using fwd::kernel::PacketClass;
using fwd::kernel::Queue;
using fwd::kernel::QueueSettings;
using fwd::kernel::Verdict;
using fwd::kernel::VerdictKind;
using rules::Direction;
namespace nft = rules::nft;

namespace {

constexpr std::uint16_t kQueue = 7;
constexpr std::uint16_t kPort = 4000;
constexpr std::uint32_t kOwnBits = 6;  // what the sender's SO_PRIORITY puts there
constexpr std::uint32_t kApproved = fwd::kernel::encode_verdict(VerdictKind::Approve, 9);

using Hook = nft::BaseChain::Hook;

fwd::Result<void> write_chains(Hook hook, fwd::kernel::QueueExpression expression) {
  const nft::Compare udp{nft::Field::TransportProtocol, std::uint32_t{17}};
  const nft::Assign set_class{nft::Field::Priority, ~fwd::kernel::kPriorityMask,
                              fwd::kernel::encode_class(PacketClass::New)};
  const nft::Compare approved{nft::Field::Priority, kApproved, true,
                              fwd::kernel::kKindMask | fwd::kernel::kGenerationMask};
  const nft::Chain first{"first", nft::BaseChain{hook, 0}};
  const nft::Chain second{"second", nft::BaseChain{hook, 10}};

  auto socket = fwd::kernel::NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  fwd::kernel::NftBatch batch(*socket);
  const std::string table = "queue_test";
  batch.add_table(table, "");
  batch.add_chain(table, first);
  batch.add_chain(table, second);
  batch.add_rule(table, "first", {{udp, set_class}}, expression);
  batch.add_rule(table, "first", {{udp, nft::Queue{kQueue, kQueue}}}, expression);
  batch.add_rule(table, "second", {{udp, approved, nft::Verdict{nft::Verdict::Kind::Accept}}},
                 expression);
  batch.add_rule(table, "second", {{udp, nft::Verdict{nft::Verdict::Kind::Drop}}}, expression);
  return batch.commit("write the test's chains");
}

void install(Hook hook) {
  using fwd::kernel::QueueExpression;
  if (write_chains(hook, QueueExpression::Native)) return;
  const auto written = write_chains(hook, QueueExpression::Compat);
  INFO((written ? "" : written.error().message()));
  REQUIRE(written.has_value());
}

sockaddr_in destination() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Sends to itself over loopback.
class UdpLoop {
 public:
  UdpLoop() : receiver_(open_socket()), sender_(open_socket()) {
    const auto address = destination();
    REQUIRE(bind(receiver_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const int priority = kOwnBits;
    REQUIRE(setsockopt(sender_, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority) == 0);
  }
  ~UdpLoop() {
    close(receiver_);
    close(sender_);
  }
  UdpLoop(const UdpLoop&) = delete;
  UdpLoop& operator=(const UdpLoop&) = delete;

  void send(std::size_t count, std::size_t bytes = 10) const {
    const std::string text(bytes, 'x');
    const auto address = destination();
    for (std::size_t at = 0; at < count; ++at) {
      REQUIRE(sendto(sender_, text.data(), text.size(), 0,
                     reinterpret_cast<const sockaddr*>(&address), sizeof address) > 0);
    }
  }

  std::size_t arrived() const {
    std::array<char, 65536> buffer{};
    std::size_t count = 0;
    pollfd ready{.fd = receiver_, .events = POLLIN, .revents = 0};
    while (poll(&ready, 1, 50) == 1 && recv(receiver_, buffer.data(), buffer.size(), 0) >= 0) {
      ++count;
    }
    return count;
  }

 private:
  static int open_socket() {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    return fd;
  }

  int receiver_;
  int sender_;
};

std::unique_ptr<Queue> open_queue(const QueueSettings& settings = {}) {
  auto queue = Queue::open(kQueue, settings);
  INFO((queue ? "" : queue.error().message()));
  REQUIRE(queue.has_value());
  return std::move(*queue);
}

std::span<const fwd::kernel::QueuedPacket> receive(Queue& queue) {
  const auto packets = queue.receive();
  REQUIRE(packets.has_value());
  return *packets;
}

Verdict approve(const fwd::kernel::QueuedPacket& packet) {
  return {packet.id, true, fwd::kernel::with_verdict(packet.priority, kApproved)};
}

// Answers until nothing comes any more.
std::size_t approve_all(Queue& queue) {
  std::size_t count = 0;
  while (true) {
    const auto packets = receive(queue);
    if (packets.empty()) return count;
    std::vector<Verdict> verdicts;
    for (const auto& packet : packets) verdicts.push_back(approve(packet));
    queue.send(verdicts);
    count += packets.size();
  }
}

void check_way_through(Hook hook, Direction direction) {
  install(hook);
  const auto queue = open_queue();
  const UdpLoop loop;
  loop.send(1, 1000);
  const auto packets = receive(*queue);
  REQUIRE(packets.size() == 1);
  const auto& packet = packets.front();
  CHECK(packet.hook == direction);
  CHECK(packet.interface_index == 1);  // loopback
  CHECK(packet.priority == (fwd::kernel::encode_class(PacketClass::New) | kOwnBits));
  CHECK(packet.bytes.size() == 256);
  CHECK(packet.wire_length == 1028);
  const auto decoded = rules::decode(packet.bytes, packet.wire_length);
  REQUIRE(decoded.has_value());
  CHECK(decoded->destination_port == kPort);

  const std::array verdicts{approve(packet)};
  queue->send(verdicts);
  CHECK(loop.arrived() == 1);
}

}  // namespace

TEST_CASE("an incoming packet comes with its class, and its verdict reaches the next chain") {
  support::in_new_netns([] { check_way_through(Hook::Input, Direction::In); });
}

TEST_CASE("an outgoing packet comes with its class, and its verdict reaches the next chain") {
  support::in_new_netns([] { check_way_through(Hook::Output, Direction::Out); });
}

TEST_CASE("a dropped packet goes nowhere, and one accepted without a verdict is the next chain's") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue();
    const UdpLoop loop;
    loop.send(2);
    std::vector<Verdict> verdicts;
    while (verdicts.size() < 2) {
      for (const auto& packet : receive(*queue)) {
        verdicts.push_back({packet.id, !verdicts.empty(), packet.priority});
      }
    }
    queue->send(verdicts);
    CHECK(loop.arrived() == 0);
    CHECK(queue->receive()->empty());
    CHECK(queue->counters().gone.value() == 0);
  });
}

TEST_CASE("packets between others get verdicts of their own") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue();
    const UdpLoop loop;
    loop.send(8);
    std::vector<Verdict> verdicts;
    while (verdicts.size() < 8) {
      const auto packets = receive(*queue);
      REQUIRE_FALSE(packets.empty());
      for (const auto& packet : packets) {
        const bool dropped = verdicts.size() == 3 || verdicts.size() == 4;
        verdicts.push_back(approve(packet));
        verdicts.back().accept = !dropped;
      }
      queue->send(std::span(verdicts).last(packets.size()));
    }
    CHECK(loop.arrived() == 6);
    CHECK(receive(*queue).empty());
    CHECK(queue->counters().gone.value() == 0);
  });
}

TEST_CASE("many packets are answered in batches and none is left behind") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue();
    const UdpLoop loop;
    loop.send(150);
    CHECK(approve_all(*queue) == 150);
    CHECK(loop.arrived() == 150);
    CHECK(queue->counters().unsent.value() == 0);
    CHECK(queue->counters().unreadable.value() == 0);
  });
}

TEST_CASE("a packet without an answer stays in the queue when later ones get theirs") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue();
    const UdpLoop loop;
    loop.send(3);
    const auto packets = receive(*queue);
    REQUIRE(packets.size() == 3);
    const std::array later{approve(packets[1]), approve(packets[2])};
    queue->send(later);
    CHECK(loop.arrived() == 2);
    const std::array first{approve(packets[0])};
    queue->send(first);
    CHECK(loop.arrived() == 1);
  });
}

TEST_CASE("a full queue hands the rest to the next chain") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue({.max_packets = 8});
    const UdpLoop loop;
    loop.send(20);
    CHECK(approve_all(*queue) == 8);
    CHECK(loop.arrived() == 8);
  });
}

TEST_CASE("a socket buffer that runs over is counted and the queue goes on") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue({.buffer_bytes = 4096});
    const UdpLoop loop;
    loop.send(100);
    const auto first = approve_all(*queue);
    CHECK(first < 100);
    CHECK(queue->counters().overruns.value() > 0);
    while (!receive(*queue).empty()) {
    }
    loop.send(1);
    CHECK(approve_all(*queue) == 1);
    CHECK(loop.arrived() == first + 1);
  });
}

TEST_CASE("a message longer than the receive buffer still gets a verdict") {
  support::in_new_netns([] {
    install(Hook::Input);
    const auto queue = open_queue({.copy_bytes = 4000});
    const UdpLoop loop;
    loop.send(1, 4000);
    const auto packets = receive(*queue);
    REQUIRE(packets.size() == 1);
    CHECK(queue->counters().truncated.value() == 1);
    CHECK_FALSE(rules::decode(packets.front().bytes, packets.front().wire_length).has_value());
    const std::array verdicts{approve(packets.front())};
    queue->send(verdicts);
    CHECK(loop.arrived() == 1);
  });
}

TEST_CASE("a verdict for a packet that is gone is counted") {
  support::in_new_netns([] {
    const auto queue = open_queue();
    const std::array verdicts{Verdict{12345, true, 0}, Verdict{12346, false, 0}};
    queue->send(verdicts);
    CHECK(receive(*queue).empty());
    CHECK(queue->counters().gone.value() == 2);
  });
}

TEST_CASE("a queue that another program has is a clear error, and is free again after it") {
  support::in_new_netns([] {
    {
      const auto queue = open_queue();
      const auto second = Queue::open(kQueue);
      REQUIRE_FALSE(second.has_value());
      CHECK(second.error().message() == "queue 7 is already in use by another program");
    }
    CHECK(Queue::open(kQueue).has_value());
  });
}

// An attribute's type beyond all that the kernel knows is what the priority's is to an older one.
TEST_CASE("the kernel tells whether it knows the priority of a verdict") {
  support::in_new_netns([] {
    auto socket = fwd::kernel::NetlinkSocket::open(NETLINK_NETFILTER);
    REQUIRE(socket);
    const auto answer = [&](std::uint16_t attribute) {
      const std::uint32_t sequence = socket->next_sequence();
      auto probe = fwd::kernel::priority_probe(kQueue, sequence);
      std::memcpy(&probe[offsetof(fwd::kernel::VerdictMessage, priority_attribute.nla_type)],
                  &attribute, sizeof attribute);
      const auto done = socket->request(probe, sequence, "probe");
      REQUIRE_FALSE(done);
      return done.error().code;
    };
    CHECK(answer(NFQA_PRIORITY) == ERANGE);
    CHECK(answer(200) == ENODEV);  // as an older kernel, to which the type is unknown
  });
}

TEST_CASE("binding without CAP_NET_ADMIN is a clear error") {
  support::in_new_netns([] {
    // Capabilities are a thread's own, and this thread ends with its namespace.
    capng_clear(CAPNG_SELECT_CAPS);
    REQUIRE(capng_apply(CAPNG_SELECT_CAPS) == 0);
    const auto queue = Queue::open(kQueue);
    REQUIRE_FALSE(queue.has_value());
    CHECK(queue.error().message() == "bind queue 7: the capability CAP_NET_ADMIN is missing");
  });
}
