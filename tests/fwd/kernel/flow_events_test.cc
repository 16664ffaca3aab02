#include "fwd/kernel/flow_events.h"

#include <fstream>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <netinet/in.h>

#include "fwd/kernel/conntrack.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;

namespace {

const rules::Address kPeer = *rules::parse_address("203.0.113.7");
const rules::Address kHost = *rules::parse_address("192.0.2.1");
constexpr CtMark kMark{0x00ff0000};

// Connections that begin and end at once, in the new namespace.
class Host {
 public:
  explicit Host(int buffer_bytes = FlowEvents::kBufferBytes)
      : conntrack_(take(Conntrack::open())), events_(take(FlowEvents::open(kMark, buffer_bytes))) {}

  void connection(std::uint16_t port, std::uint32_t mark, std::uint8_t protocol = IPPROTO_TCP) {
    const CtTuple tuple{protocol, kPeer, 51514, kHost, port};
    REQUIRE(conntrack_.put(tuple, CtMark{0xffffffff}, mark));
    REQUIRE(conntrack_.remove(tuple));
  }

  FlowEvents& events() { return events_; }
  std::vector<FlowEnd> ends(std::size_t most = 1000) {
    std::vector<FlowEnd> all;
    REQUIRE(events_.read(most, [&](const FlowEnd& end) { all.push_back(end); }));
    return all;
  }

 private:
  template <typename T>
  static T take(fwd::Result<T> made) {
    REQUIRE(made);
    return std::move(*made);
  }

  Conntrack conntrack_;
  FlowEvents events_;
};

std::uint32_t approved() {
  return kMark.encode(ConnectionState::Approved, 7);
}
std::uint32_t revoked() {
  return kMark.encode(ConnectionState::Revoked, 7);
}

}  // namespace

TEST_CASE("the end of a judged connection is told with its mark, and of no other") {
  support::in_new_netns([] {
    Host host;
    host.connection(80, approved());
    host.connection(81, 0);
    host.connection(82, 0xff00ffff);  // other programs' bits
    host.connection(83, revoked() | 0x12, IPPROTO_UDP);
    host.connection(84, kMark.encode(ConnectionState::Lapsed, 0));
    const auto ends = host.ends();
    REQUIRE(ends.size() == 3);
    CHECK(ends[0].first.source == kPeer);
    CHECK(ends[0].first.source_port == 51514);
    CHECK(ends[0].first.destination == kHost);
    CHECK(ends[0].first.destination_port == 80);
    CHECK(ends[0].first.protocol == IPPROTO_TCP);
    CHECK(ends[0].mark == approved());
    CHECK(ends[1].first.destination_port == 83);
    CHECK(ends[1].first.protocol == IPPROTO_UDP);
    CHECK(ends[1].mark == (revoked() | 0x12));
    CHECK(ends[2].first.destination_port == 84);
    CHECK(host.ends().empty());
  });
}

TEST_CASE("no more ends are read at once than asked for") {
  support::in_new_netns([] {
    Host host;
    for (std::uint16_t port = 1; port <= 5; ++port) host.connection(port, approved());
    CHECK(host.ends(2).size() == 2);
    CHECK(host.ends(100).size() == 3);
    CHECK(host.events().lost() == 0);
  });
}

TEST_CASE("only connections that began under accounting have counts and times") {
  support::in_new_netns([] {
    Host host;
    host.connection(80, approved());
    REQUIRE(switch_on_accounting());
    host.connection(81, approved());
    const auto ends = host.ends();
    REQUIRE(ends.size() == 2);
    CHECK(!ends[0].counts);
    CHECK(!ends[0].start_ns);
    REQUIRE(ends[1].counts);
    CHECK(ends[1].counts->original.packets == 0);  // it never had any
    REQUIRE((ends[1].start_ns && ends[1].stop_ns));
    CHECK(*ends[1].stop_ns >= *ends[1].start_ns);
    CHECK(*ends[1].start_ns > 1'700'000'000'000'000'000);
  });
}

TEST_CASE("accounting that somebody has switched on already is left as it is") {
  support::in_new_netns([] {
    REQUIRE(switch_on_accounting());
    REQUIRE(switch_on_accounting());
    int value = 0;
    CHECK((std::ifstream("/proc/sys/net/netfilter/nf_conntrack_acct") >> value && value == 1));
  });
}

TEST_CASE("what the buffer has no room for is counted exactly") {
  support::in_new_netns([] {
    Host host(4096);
    constexpr std::uint16_t kEnds = 300;
    for (std::uint16_t port = 1; port <= kEnds; ++port) host.connection(port, approved());
    const std::size_t read = host.ends().size();
    CHECK(read > 0);
    CHECK(read < kEnds);
    CHECK(host.events().lost() == kEnds - read);
    host.connection(1000, approved());
    CHECK(host.ends().size() == 1);
    CHECK(host.events().lost() == kEnds - read);
  });
}
