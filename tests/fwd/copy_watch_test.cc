#include "fwd/copy_watch.h"

#include <catch2/catch.hpp>

#include "tests/fwd/policy/fake_firewall.h"

using fwd::CopyReason;
using fwd::CopyWatch;
using fwd::kernel::CopyCounters;

namespace {

struct Watched {
  fwd::test::FakeFirewall firewall;
  std::vector<fwd::audit::HealthEvent> told;
  CopyWatch watch{firewall, [] { return std::uint64_t{0}; },
                  [this](fwd::audit::HealthEvent event) { told.push_back(std::move(event)); }};
};

}  // namespace

TEST_CASE("what the copy decided before the daemon's start is told as a restart") {
  Watched host;
  host.firewall.counted.copy = {6, 4, 1, 0};
  host.watch.look();
  REQUIRE(host.told.size() == 1);
  const auto& event = host.told.front();
  CHECK(event.action == "fallback");
  CHECK(event.reason == "restart");
  CHECK(event.packets == 11);
  CHECK(event.by_copy->metered == 1);
}

TEST_CASE("a state is as of now, and what the daemon found counts from zero") {
  Watched host;
  host.firewall.counted = {.copy = {}, .revoked = 100, .limit_refused = 50};
  host.watch.look();
  CHECK_FALSE(host.watch.state().since);
  host.firewall.counted = {.copy = {3, 2, 0, 5}, .revoked = 107, .limit_refused = 51};
  const CopyWatch::State state = host.watch.state();
  CHECK(state.since);
  CHECK(state.reason == CopyReason::Shed);
  CHECK(state.episodes == 1);
  CHECK(state.packets == CopyCounters{3, 2, 0, 5});
  CHECK(state.revoked == 7);
  CHECK(state.limit_refused == 1);

  host.firewall.counted.revoked = 2;  // a table that was made anew
  CHECK(host.watch.state().revoked == 9);
}

TEST_CASE("a lease that ran out is told once, however long it lasts") {
  Watched host;
  host.watch.look();
  for (int i = 0; i < 3; ++i) {
    host.watch.lease_ran_out();
    host.watch.look();
  }
  REQUIRE(host.told.size() == 1);
  CHECK(host.told.front().reason == "no_answer");
}
