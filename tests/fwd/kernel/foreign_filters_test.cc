#include "fwd/kernel/foreign_filters.h"

#include <catch2/catch.hpp>

#include "fwd/kernel/table.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;

TEST_CASE("in a namespace of its own fwd's table is no foreign one") {
  support::in_new_netns([] {
    const auto none = foreign_filters();
    REQUIRE(none);
    CHECK(none->empty());
    const auto firewall = open_firewall(
        {.queues = {0, 1}, .ct_mark = {}, .nflog_group = 4789, .state_directory = "/var/lib/fwd"});
    REQUIRE(firewall);
    REQUIRE((*firewall)->commit({}, 1, fwd::Mode::Enforce));
    const auto ours = foreign_filters();
    REQUIRE(ours);
    CHECK(ours->empty());
  });
}
