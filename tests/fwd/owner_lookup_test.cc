#include "fwd/owner_lookup.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::OwnerLookup;
using fwd::audit::VerdictRecord;
using rules::Direction;

// A host whose every socket is of one user, and a clock.
struct Host {
  OwnerLookup lookup() {
    return {[this](const rules::Packet&, Direction,
                   std::uint32_t) -> std::optional<fwd::kernel::SocketOwner> {
              ++asked;
              return owner;
            },
            fwd::CgroupUnits(root), [this] { return now; }};
  }

  std::optional<fwd::kernel::SocketOwner> owner{{33, std::nullopt}};
  std::string root;
  int asked = 0;
  OwnerLookup::Clock::time_point now{std::chrono::hours(1)};
};

VerdictRecord incoming(std::uint16_t port, std::uint16_t peer_port = 51514) {
  VerdictRecord record = fwd::audit::test::denied();
  record.judgement.packet.source_port = peer_port;
  record.judgement.packet.destination_port = port;
  return record;
}

}  // namespace

TEST_CASE("who serves a port is asked once a second, whoever comes") {
  Host host;
  auto lookup = host.lookup();
  for (std::uint16_t peer_port = 1; peer_port < 50; ++peer_port)
    CHECK(lookup.of(incoming(80, peer_port)).uid == 33);
  CHECK(host.asked == 1);
  lookup.of(incoming(81));
  CHECK(host.asked == 2);
  host.now += OwnerLookup::kKept;
  host.owner->uid = 34;
  CHECK(lookup.of(incoming(80)).uid == 34);
}

TEST_CASE("a port that nobody serves is asked for again: a server may come") {
  Host host;
  host.owner.reset();
  auto lookup = host.lookup();
  CHECK(!lookup.of(incoming(80)).uid);
  host.owner = {33, std::nullopt};
  CHECK(lookup.of(incoming(80)).uid == 33);
}

TEST_CASE("each connection that goes out has a socket of its own") {
  Host host;
  auto lookup = host.lookup();
  VerdictRecord record = incoming(80);
  record.judgement.direction = Direction::Out;
  lookup.of(record);
  lookup.of(record);
  CHECK(host.asked == 2);
}

TEST_CASE("no more is asked in a second than there is time for, and the rest is unknown") {
  Host host;
  auto lookup = host.lookup();
  VerdictRecord record = incoming(80);
  record.judgement.direction = Direction::Out;
  for (int i = 0; i < OwnerLookup::kMostAsked; ++i) REQUIRE(lookup.of(record).uid == 33);
  CHECK(!lookup.of(record).uid);
  CHECK(host.asked == OwnerLookup::kMostAsked);
  host.now += std::chrono::seconds(1);
  CHECK(lookup.of(record).uid == 33);
}

TEST_CASE("what has no sockets isn't asked for") {
  Host host;
  auto lookup = host.lookup();
  VerdictRecord record = incoming(80);
  record.judgement.packet.protocol = rules::protocol::kIcmp;
  CHECK(!lookup.of(record).uid);
  record = incoming(80);
  record.judgement.decoded = false;
  CHECK(!lookup.of(record).uid);
  CHECK(host.asked == 0);
}

TEST_CASE("the socket's cgroup names its unit") {
  const fwd::test::Scratch scratch;
  scratch.write("system.slice/nginx.service/cgroup.procs", "");
  struct stat status {};
  REQUIRE(stat(scratch.path("system.slice/nginx.service").c_str(), &status) == 0);
  Host host;
  host.root = scratch.path();
  auto lookup = host.lookup();
  CHECK(lookup.of(incoming(80)).unit.empty());
  host.owner->cgroup = status.st_ino;
  host.now += OwnerLookup::kKept;
  CHECK(lookup.of(incoming(80)).unit == "nginx.service");
}
