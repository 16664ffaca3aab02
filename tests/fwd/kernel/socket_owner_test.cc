#include "fwd/kernel/socket_owner.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fwd/unique_fd.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;
using fwd::UniqueFd;
using rules::Direction;

namespace {

constexpr std::uint32_t kNobody = 65534;
constexpr std::uint16_t kPort = 8080;
const rules::Address kHost = *rules::parse_address("127.0.0.1");
const rules::Address kPeer = *rules::parse_address("127.0.0.2");

sockaddr_in6 v6(std::uint16_t port) {
  return {.sin6_family = AF_INET6,
          .sin6_port = htons(port),
          .sin6_flowinfo = 0,
          .sin6_addr = {},
          .sin6_scope_id = 0};
}

sockaddr_in v4(const rules::Address& address, std::uint16_t port) {
  return {.sin_family = AF_INET,
          .sin_port = htons(port),
          .sin_addr = {htonl(static_cast<std::uint32_t>(address.low))},
          .sin_zero = {}};
}

template <typename Address>
UniqueFd bound(int type, const Address& address) {
  UniqueFd socket(::socket(reinterpret_cast<const sockaddr&>(address).sa_family, type, 0));
  REQUIRE(socket.valid());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

template <typename Address>
UniqueFd listening(const Address& address) {
  UniqueFd socket = bound(SOCK_STREAM, address);
  REQUIRE(::listen(socket.get(), 8) == 0);
  return socket;
}

rules::Packet packet(std::uint8_t protocol, std::uint16_t from, std::uint16_t to) {
  rules::Packet packet;
  packet.protocol = protocol;
  packet.has_ports = true;
  packet.source = kPeer;
  packet.source_port = from;
  packet.destination = kHost;
  packet.destination_port = to;
  return packet;
}

std::optional<SocketOwner> found(const rules::Packet& first, Direction direction) {
  auto owners = SocketOwners::open();
  REQUIRE(owners);
  const auto owner = owners->find(first, direction, 0);
  REQUIRE(owner);
  return *owner;
}

// As another user, who the socket then belongs to.
template <typename Make>
UniqueFd by_nobody(const Make& make) {
  UniqueFd socket = make();
  REQUIRE(fchown(socket.get(), kNobody, kNobody) == 0);
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

}  // namespace

TEST_CASE("who listens owns what comes in over TCP, be it on all addresses of both families") {
  support::in_new_netns([] {
    const auto first = packet(IPPROTO_TCP, 51514, kPort);
    CHECK(!found(first, Direction::In));
    {
      const UniqueFd any = by_nobody([] { return listening(v6(kPort)); });
      const auto owner = found(first, Direction::In);
      REQUIRE(owner);
      CHECK(owner->uid == kNobody);
      CHECK(!found(packet(IPPROTO_TCP, 51514, kPort + 1), Direction::In));
    }
    const UniqueFd one = by_nobody([] { return listening(v4(kHost, kPort)); });
    CHECK(found(first, Direction::In)->uid == kNobody);
    auto other = first;
    other.destination = kPeer;
    CHECK(!found(other, Direction::In));
  });
}

TEST_CASE("what goes out over TCP belongs to the connection's own socket, never to a listener") {
  support::in_new_netns([] {
    const UniqueFd server = listening(v4(kHost, kPort));
    UniqueFd client = by_nobody([] { return bound(SOCK_STREAM, v4(kPeer, 0)); });
    const auto address = v4(kHost, kPort);
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    const auto first = packet(IPPROTO_TCP, port_of(client.get()), kPort);
    CHECK(found(first, Direction::Out)->uid == kNobody);
    CHECK(found(first, Direction::In)->uid == 0);
    auto from_listener = packet(IPPROTO_TCP, kPort, 51514);
    from_listener.source = kHost;
    from_listener.destination = kPeer;
    CHECK(!found(from_listener, Direction::Out));
  });
}

TEST_CASE("a connection that was closed has no owner any more, not even uid 0") {
  support::in_new_netns([] {
    const UniqueFd server = listening(v4(kHost, kPort));
    UniqueFd client = by_nobody([] { return bound(SOCK_STREAM, v4(kPeer, 0)); });
    const auto address = v4(kHost, kPort);
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    const auto first = packet(IPPROTO_TCP, port_of(client.get()), kPort);
    client.reset();  // waits in FIN_WAIT2
    const auto owner = found(first, Direction::Out);
    CHECK((!owner || !owner->uid));
  });
}

TEST_CASE("a UDP socket owns what it receives and what it sends") {
  support::in_new_netns([] {
    const UniqueFd server = by_nobody([] { return bound(SOCK_DGRAM, v4(kHost, kPort)); });
    CHECK(found(packet(IPPROTO_UDP, 51514, kPort), Direction::In)->uid == kNobody);
    CHECK(!found(packet(IPPROTO_UDP, kPort, 51514), Direction::In));
    const UniqueFd client = bound(SOCK_DGRAM, v4(kPeer, 5353));
    CHECK(found(packet(IPPROTO_UDP, 5353, 53), Direction::Out)->uid == 0);
  });
}

TEST_CASE("other protocols have no sockets to ask for") {
  support::in_new_netns([] { CHECK(!found(packet(IPPROTO_SCTP, 1, 2), Direction::In)); });
}

TEST_CASE("a socket's cgroup is the one of the process that made it") {
  std::filesystem::path mount;
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (std::filesystem::exists(std::string(path) + "/cgroup.procs")) mount = path;
  }
  std::string own;
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/")) own = line.substr(4);
  }
  if (mount.empty() || !std::filesystem::exists(mount / own)) {
    WARN("skipped: no cgroup2 hierarchy is mounted here");
    return;
  }
  support::in_new_netns([&] {
    const UniqueFd server = listening(v4(kHost, kPort));
    struct stat status {};
    REQUIRE(stat((mount / own).c_str(), &status) == 0);
    CHECK(found(packet(IPPROTO_TCP, 51514, kPort), Direction::In)->cgroup == status.st_ino);
  });
}
