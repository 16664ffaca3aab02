#include "fwd/cgroup_units.h"

#include <filesystem>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/fwd/scratch.h"

using fwd::CgroupUnits;
using fwd::test::Scratch;

namespace {

// A folder stands for a cgroup: both are known by their inode number.
std::uint64_t make(const Scratch& scratch, const std::string& path) {
  std::filesystem::create_directories(scratch.path(path));
  struct stat status {};
  REQUIRE(stat(scratch.path(path).c_str(), &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("a cgroup's unit is the first below the slices") {
  CHECK(fwd::unit_of_path("/system.slice/nginx.service") == "nginx.service");
  CHECK(fwd::unit_of_path("/system.slice/nginx.service/worker.scope") == "nginx.service");
  CHECK(fwd::unit_of_path("/system.slice/system-getty.slice/getty@tty1.service") ==
        "getty@tty1.service");
  CHECK(fwd::unit_of_path("/user.slice/user-1000.slice/session-3.scope") == "session-3.scope");
  CHECK(fwd::unit_of_path("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service") ==
        "user@1000.service");
  CHECK(fwd::unit_of_path("/init.scope") == "init.scope");
  CHECK(fwd::unit_of_path("/system.slice/_memory.service") == "memory.service");
}

TEST_CASE("where systemd didn't make the cgroup there is no unit") {
  CHECK(fwd::unit_of_path("") == "");
  CHECK(fwd::unit_of_path("/") == "");
  CHECK(fwd::unit_of_path("/system.slice") == "");
  CHECK(fwd::unit_of_path("/docker/0123abcd") == "");
  CHECK(fwd::unit_of_path("/docker/nginx.service") == "");
}

TEST_CASE("the cgroup2 hierarchy is found among the mounts, be it beside version 1") {
  CHECK(
      fwd::cgroup2_mount("23 1 0:21 / /proc rw - proc proc rw\n"
                         "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n") ==
      "/sys/fs/cgroup");
  CHECK(fwd::cgroup2_mount(
            "33 32 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
            "42 32 0:36 / /sys/fs/cgroup/unified rw shared:9 master:1 - cgroup2 cgroup2 rw\n") ==
        "/sys/fs/cgroup/unified");
  CHECK(
      fwd::cgroup2_mount("33 32 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n").empty());
}

TEST_CASE("units are looked up by id, also those that were made later") {
  const Scratch scratch;
  const auto nginx = make(scratch, "system.slice/nginx.service");
  const auto worker = make(scratch, "system.slice/nginx.service/worker");
  const auto slice = make(scratch, "system.slice");
  CgroupUnits::Clock::time_point now{};
  CgroupUnits units(scratch.path(), [&] { return now; });
  CHECK(units.unit_of(nginx) == "nginx.service");
  CHECK(units.unit_of(worker) == "nginx.service");
  CHECK(units.unit_of(slice) == "");
  const auto later = make(scratch, "system.slice/later.service");
  CHECK(units.unit_of(later) == "later.service");
}

TEST_CASE("a unit that has ended is still known by the sockets that outlive it") {
  const Scratch scratch;
  const auto nginx = make(scratch, "nginx.service");
  CgroupUnits units(scratch.path());
  CHECK(units.unit_of(nginx) == "nginx.service");
  std::filesystem::remove_all(scratch.path("nginx.service"));
  CHECK(units.unit_of(1) == "");
  CHECK(units.unit_of(nginx) == "nginx.service");
}

TEST_CASE("looking for new cgroups takes a small share of the time") {
  const Scratch scratch;
  make(scratch, "nginx.service");
  CgroupUnits::Clock::time_point now{};
  int asked = 0;
  CgroupUnits units(scratch.path(), [&] {  // each walk seems to take a second
    ++asked;
    return now += std::chrono::seconds(1);
  });
  CHECK(units.unit_of(1) == "");
  const int walk = asked;
  const auto later = make(scratch, "later.service");
  CHECK(units.unit_of(later) == "");
  CHECK(asked == walk + 1);  // no walk
  now += std::chrono::seconds(20);
  CHECK(units.unit_of(later) == "later.service");
}

TEST_CASE("without a cgroup2 hierarchy every unit is unknown") {
  CgroupUnits units("");
  CHECK(units.unit_of(1) == "");
  CgroupUnits missing("/nonexistent");
  CHECK(missing.unit_of(1) == "");
}
