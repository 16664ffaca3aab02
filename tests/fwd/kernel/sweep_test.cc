#include "fwd/kernel/sweep.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <netinet/in.h>

#include "fwd/kernel/conntrack.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;

namespace {

constexpr std::uint16_t kDenied = 22;
constexpr std::uint16_t kAllowed = 80;
constexpr std::uint16_t kRejected = 81;
constexpr std::uint16_t kUndecided = 82;  // depends on what a sweep can't know
constexpr Generation kNow = 5;
constexpr std::uint32_t kOthersBits = 0x00ab0000;  // of a mark, not ours

// In the new namespace: conntrack as it would be on a host with this address.
class Host {
 public:
  Host() : conntrack_(opened()) { REQUIRE(std::system("ip address add 192.0.2.1/32 dev lo") == 0); }

  void connection(std::uint16_t port, ConnectionState state, Generation generation) {
    REQUIRE(conntrack_.put(to(port), CtMark{0xffffffff},
                           kOthersBits | CtMark{}.encode(state, generation)));
  }

  Conntrack& conntrack() { return conntrack_; }

  std::uint32_t mark(std::uint16_t port) {
    const auto all = conntrack_.list();
    REQUIRE(all);
    return all->at(to(port));
  }

 private:
  static Conntrack opened() {
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    return std::move(*conntrack);
  }
  static CtTuple to(std::uint16_t port) {
    return {IPPROTO_TCP, *rules::parse_address("203.0.113.7"), 51514,
            *rules::parse_address("192.0.2.1"), port};
  }

  Conntrack conntrack_;
};

std::uint32_t marked(ConnectionState state, Generation generation) {
  return kOthersBits | CtMark{}.encode(state, generation);
}

SweepVerdict judge(const JudgedConnection& connection) {
  switch (connection.first.destination_port) {
    case kAllowed:
      return SweepVerdict::Approve;
    case kRejected:
      return SweepVerdict::Reject;
    case kUndecided:
      return SweepVerdict::NextPacket;
    default:
      return SweepVerdict::Revoke;
  }
}

}  // namespace

TEST_CASE("a sweep marks what was judged before, and keeps the bits of others") {
  support::in_new_netns([] {
    Host host;
    for (const std::uint16_t port : {kAllowed, kRejected, kUndecided, kDenied})
      host.connection(port, ConnectionState::Approved, kNow - 1);
    host.connection(443, ConnectionState::None, 0);
    const auto swept = sweep_connections(host.conntrack(), {.mark = {}, .generation = kNow}, judge);
    REQUIRE(swept);
    CHECK(swept->approved == 1);
    CHECK(swept->cut.size() == 2);
    CHECK(host.mark(kAllowed) == marked(ConnectionState::Approved, kNow));
    CHECK(host.mark(kRejected) == kOthersBits);
    CHECK(host.mark(kUndecided) == marked(ConnectionState::Lapsed, 0));
    CHECK(host.mark(kDenied) == marked(ConnectionState::Revoked, kNow));
    CHECK(host.mark(443) == kOthersBits);
  });
}

TEST_CASE(
    "what packets were judged by since the commit is left to them, and what they cut is counted") {
  support::in_new_netns([] {
    Host host;
    host.connection(kDenied, ConnectionState::Revoked, kNow);
    host.connection(23, ConnectionState::Approved, kNow);
    const auto swept = sweep_connections(host.conntrack(), {.mark = {}, .generation = kNow}, judge);
    REQUIRE(swept);
    CHECK(swept->cut.empty());
    CHECK(swept->cut_by_packets == 1);
    CHECK(host.mark(23) == marked(ConnectionState::Approved, kNow));
  });
}

TEST_CASE("a connection whose packet waits to be judged again is still one that a sweep cuts") {
  support::in_new_netns([] {
    Host host;
    for (const std::uint16_t port : {kAllowed, kUndecided, kDenied})
      host.connection(port, ConnectionState::Lapsed, 0);
    const auto swept = sweep_connections(host.conntrack(), {.mark = {}, .generation = kNow}, judge);
    REQUIRE(swept);
    CHECK(swept->cut.size() == 1);
    CHECK(host.mark(kAllowed) == marked(ConnectionState::Approved, kNow));
    CHECK(host.mark(kUndecided) == marked(ConnectionState::Lapsed, 0));
    CHECK(host.mark(kDenied) == marked(ConnectionState::Revoked, kNow));
  });
}

TEST_CASE("a sweep that only looks changes nothing") {
  support::in_new_netns([] {
    Host host;
    host.connection(kDenied, ConnectionState::Approved, kNow - 1);
    const auto swept = sweep_connections(host.conntrack(),
                                         {.mark = {}, .generation = kNow, .write = false}, judge);
    REQUIRE(swept);
    REQUIRE(swept->cut.size() == 1);
    CHECK(swept->cut[0].direction == rules::Direction::In);
    CHECK(host.mark(kDenied) == marked(ConnectionState::Approved, kNow - 1));
  });
}
