// How a start fails before the kernel is touched; what comes after it is tested in network namespaces (tests/integration).
#include "fwd/daemon.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include "fwd/control/listener.h"
#include "fwd/oneshot.h"
#include "fwd/policy/marks.h"
#include "fwd/state_lock.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::test::Scratch;

fwd::Options options_in(const Scratch& scratch) {
  fwd::Options options;
  options.policy = scratch.path("policy.fw");
  options.config = scratch.path("fwd.toml");
  options.socket = scratch.path("run/fwd.sock");
  options.state = scratch.path("state");
  options.audit = scratch.path("log/audit.json");
  return options;
}

struct Failure {
  std::string message;
  int status = 0;
};

Failure start_of(const fwd::Options& options) {
  fwd::Daemon daemon(options);
  const auto started = daemon.start();
  REQUIRE_FALSE(started);
  return {started.error().message(), daemon.exit_status()};
}

TEST_CASE("broken settings end the start with status 2") {
  const Scratch scratch;
  scratch.write("fwd.toml", "queues = 1\n");
  const Failure failure = start_of(options_in(scratch));
  CHECK(failure.status == 2);
  CHECK(failure.message.starts_with(scratch.path("fwd.toml") + ":1: \"queues\" must be "));
}

TEST_CASE("a broken or missing policy ends the start with status 2 and leaves no trace") {
  if (getuid() != 0) return;
  const Scratch scratch;
  CHECK(start_of(options_in(scratch))
            .message.starts_with("there is no policy " + scratch.path("policy.fw")));
  scratch.write("policy.fw", "allow in 80/tcp\nallow in 99999/tcp\n");
  const Failure failure = start_of(options_in(scratch));
  CHECK(failure.status == 2);
  CHECK(failure.message.starts_with("policy.fw:2: "));
  CHECK(scratch.count() == 1);
}

TEST_CASE("a state folder has one daemon") {
  if (getuid() != 0) return;
  const Scratch scratch;
  scratch.write("policy.fw", "allow in 80/tcp\n");
  const auto lock = fwd::lock_state(scratch.path("state"));
  REQUIRE(lock);
  const Failure failure = start_of(options_in(scratch));
  CHECK(failure.status == 1);
  CHECK(failure.message ==
        "another fwd is running with the state directory " + scratch.path("state"));
}

TEST_CASE("a socket has one daemon, whose socket stays") {
  if (getuid() != 0) return;
  const Scratch scratch;
  scratch.write("policy.fw", "allow in 80/tcp\n");
  std::filesystem::create_directory(scratch.path("run"));
  const auto options = options_in(scratch);
  const auto listener = fwd::control::listen_on(options.socket);
  REQUIRE(listener);
  const Failure failure = start_of(options);
  CHECK(failure.status == 1);
  CHECK(failure.message == "another daemon already serves " + options.socket);
  CHECK(std::filesystem::exists(options.socket));
}

TEST_CASE("--check says whether settings and policy can be used") {
  const Scratch scratch;
  const auto options = options_in(scratch);
  CHECK(fwd::check(options) == 2);
  scratch.write("policy.fw", "allow in 80/tcp\n");
  CHECK(fwd::check(options) == 0);
  scratch.write("policy.fw", "expect allow in tcp 192.0.2.1 to 192.0.2.2 port 80\n");
  CHECK(fwd::check(options) == 2);
  scratch.write("policy.fw", "allow in 80/tcp\n");
  scratch.write("fwd.toml", "nonsense = 1\n");
  CHECK(fwd::check(options) == 2);
  CHECK(scratch.count() == 2);
}

}  // namespace
