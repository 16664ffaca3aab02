#include "fwd/host_warnings.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include "tests/fwd/scratch.h"

namespace {

using Lines = std::vector<std::string>;

TEST_CASE("other firewalls are named while they are active") {
  const fwd::test::Scratch root;
  CHECK(fwd::other_firewalls(root.path()).empty());
  root.write("etc/ufw/ufw.conf", "# ufw\nENABLED=no\n");
  CHECK(fwd::other_firewalls(root.path()).empty());
  root.write("etc/ufw/ufw.conf", "# ufw\nENABLED=yes\n");
  CHECK(fwd::other_firewalls(root.path()) ==
        Lines{"ufw is active: it may drop what fwd accepts. `ufw disable` ends that"});

  std::filesystem::create_directories(root.path("run/systemd/units"));
  REQUIRE(symlink("0123", root.path("run/systemd/units/invocation:firewalld.service").c_str()) ==
          0);
  REQUIRE(symlink("4567", root.path("run/systemd/units/invocation:nftables.service").c_str()) == 0);
  const auto warnings = fwd::other_firewalls(root.path());
  REQUIRE(warnings.size() == 3);
  CHECK(warnings[1].starts_with("firewalld is active"));
  CHECK(warnings[2].starts_with("nftables.service is active"));
}

TEST_CASE("each other table that filters the host's packets is named with its hooks") {
  CHECK(fwd::foreign_table_warnings({}).empty());
  CHECK(
      fwd::foreign_table_warnings(
          {{"inet", "filter", true, false}, {"ip", "f", false, true}, {"ip6", "f", true, true}}) ==
      Lines{"table inet filter also filters input: what fwd accepts may still be dropped there",
            "table ip f also filters output: what fwd accepts may still be dropped there",
            "table ip6 f also filters input and output: what fwd accepts may still be dropped "
            "there"});
}

TEST_CASE("a conntrack table is nearly full from nine tenths on") {
  CHECK(fwd::conntrack_warnings({.entries = 899, .limit = 1000}).empty());
  CHECK(fwd::conntrack_warnings({.entries = 900, .limit = 1000}).size() == 1);
  CHECK(fwd::conntrack_warnings({.entries = 0, .limit = 0}).empty());
}

TEST_CASE("lost audit records are counted") {
  CHECK(fwd::audit_warnings({.counters = {.written = 7}}).empty());
  CHECK(fwd::audit_warnings({.counters = {.lost = 1}})[0].starts_with("1 audit record was lost"));
  CHECK(fwd::audit_warnings({.counters = {.lost = 3}})[0].starts_with("3 audit records were lost"));
  CHECK(fwd::audit_warnings({.counters = {.waiting = 2}, .trouble = "no space"})[0] ==
        "the audit log can't be written (no space): 2 decisions wait so far");
}

TEST_CASE("two who rotate the log are one too many") {
  const fwd::test::Scratch root;
  CHECK(fwd::rotation_warnings(root.path()).empty());
  root.write("etc/logrotate.d/fwd", "");
  const auto warnings = fwd::rotation_warnings(root.path());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("remove /etc/logrotate.d/fwd, or set rotate_size = 0") !=
        std::string::npos);
}

TEST_CASE("a worker that ended is named with its reason") {
  fwd::engine::QueueTotals well;
  fwd::engine::QueueTotals ended;
  ended.queue = 4;
  ended.failure = EBADF;
  CHECK(fwd::worker_warnings({well}, true).empty());
  CHECK(fwd::worker_warnings({well, ended}, false) ==
        Lines{"the worker of queue 4 has ended: receive: Bad file descriptor"});
  CHECK(fwd::worker_warnings({well}, false) ==
        Lines{"a worker doesn't answer; the kernel's copy of the policy decides"});
}

}  // namespace
