#include "fwd/kernel/adopt.h"

#include <algorithm>
#include <cstdlib>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fwd/kernel/conntrack.h"
#include "fwd/kernel/links.h"
#include "fwd/kernel/sockets.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;
using rules::Direction;

namespace {

constexpr const char* kOwnAddress = "192.0.2.1";
constexpr std::uint16_t kPort = 3306;

struct Sockets {
  int listener = -1;
  int client = -1;
  int server = -1;
  std::uint16_t client_port = 0;

  ~Sockets() {
    for (const int fd : {client, server, listener}) close(fd);
  }
};

sockaddr_in at(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, kOwnAddress, &address.sin_addr);
  return address;
}

// A live connection between two sockets of this namespace, over an address that is not loopback's.
void connect(Sockets& sockets) {
  REQUIRE(std::system("ip address add 192.0.2.1/32 dev lo") == 0);
  sockaddr_in address = at(kPort);
  socklen_t size = sizeof address;
  sockets.listener = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(bind(sockets.listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(sockets.listener, 1) == 0);
  sockets.client = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(connect(sockets.client, reinterpret_cast<sockaddr*>(&address), size) == 0);
  sockets.server = accept(sockets.listener, nullptr, nullptr);
  REQUIRE(sockets.server >= 0);
  REQUIRE(getsockname(sockets.client, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  sockets.client_port = ntohs(address.sin_port);
}

CtTuple tuple_of(const Sockets& sockets) {
  const rules::Address own = *rules::parse_address(kOwnAddress);
  return {IPPROTO_TCP, own, sockets.client_port, own, kPort};
}

}  // namespace

TEST_CASE("who opened a live connection is told by who listens") {
  support::in_new_netns([] {
    Sockets sockets;
    connect(sockets);
    const auto found = live_connections();
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    for (const LiveConnection& one : *found) {
      CHECK(one.direction == (one.local_port == kPort ? Direction::In : Direction::Out));
      CHECK(one.destination_port() == kPort);
      CHECK(one.source_port() == sockets.client_port);
    }
  });
}

TEST_CASE("an adopted connection is stamped with its verdict before its next packet") {
  const auto state = GENERATE(ConnectionState::Approved, ConnectionState::Revoked);
  support::in_new_netns([state] {
    Sockets sockets;
    connect(sockets);
    const CtMark mark;
    const auto counts =
        adopt_connections(mark, 9, [&](const rules::Packet& packet, Direction, unsigned) {
          CHECK(packet.destination_port == kPort);
          return state == ConnectionState::Approved;
        });
    REQUIRE(counts);
    CHECK(counts->approved + counts->revoked == 2);
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    const auto entries = conntrack->list();
    REQUIRE(entries);
    REQUIRE(entries->contains(tuple_of(sockets)));
    CHECK(entries->at(tuple_of(sockets)) == mark.encode(state, 9));
  });
}

TEST_CASE("an entry that conntrack knows the wrong way round is turned round") {
  support::in_new_netns([] {
    Sockets sockets;
    connect(sockets);
    const CtMark mark;
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    REQUIRE(conntrack->put(tuple_of(sockets).reversed(), mark, 0));
    REQUIRE(
        adopt_connections(mark, 9, [](const rules::Packet&, Direction, unsigned) { return true; }));
    const auto entries = conntrack->list();
    REQUIRE(entries);
    CHECK(entries->contains(tuple_of(sockets)));
    CHECK_FALSE(entries->contains(tuple_of(sockets).reversed()));
  });
}

TEST_CASE("writing a mark keeps the bits that belong to others") {
  support::in_new_netns([] {
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    const rules::Address one = *rules::parse_address("2001:db8::1");
    const rules::Address two = *rules::parse_address("2001:db8::2");
    const CtTuple tuple{IPPROTO_UDP, one, 1000, two, 53};
    REQUIRE(conntrack->put(tuple, CtMark{0xffffffff}, 0x00c0ffee));
    REQUIRE(conntrack->put(tuple, CtMark{}, 0x45000000));
    const auto entries = conntrack->list();
    REQUIRE(entries);
    CHECK(entries->at(tuple) == 0x45c0ffee);
    REQUIRE(conntrack->remove(tuple));
    REQUIRE(conntrack->remove(tuple));
  });
}

TEST_CASE("interfaces are known by name, and a new one is told") {
  support::in_new_netns([] {
    auto links = Links::open();
    REQUIRE(links);
    REQUIRE(links->names());
    CHECK(links->names()->at(1) == "lo");
    REQUIRE(std::system("ip link add fwdtest0 type dummy 2>/dev/null || ip link add fwdtest0 type "
                        "veth peer fwdtest1") == 0);
    char event = 0;
    CHECK(recv(links->fd(), &event, 1, MSG_DONTWAIT) > 0);
    links->drain();
    CHECK(recv(links->fd(), &event, 1, MSG_DONTWAIT) < 0);
    const auto names = links->names();
    REQUIRE(names);
    CHECK(std::ranges::any_of(*names, [](const auto& link) { return link.second == "fwdtest0"; }));
  });
}

TEST_CASE("a link table answers what it was told, and asks the kernel about newer interfaces") {
  support::in_new_netns([] {
    LinkTable table;
    CHECK(table.name(1) == "lo");
    table.replace({{1, "renamed"}});
    CHECK(table.name(1) == "renamed");
    CHECK(table.name(4711).empty());
  });
}
