#include "fwd/event_loop.h"

#include <csignal>

#include <catch2/catch.hpp>
#include <pthread.h>
#include <sys/eventfd.h>

namespace {

using namespace std::chrono_literals;

TEST_CASE("descriptors, timers and signals reach their handlers") {
  fwd::block_signals({SIGUSR1});
  auto loop = fwd::EventLoop::make();
  REQUIRE(loop);
  const fwd::UniqueFd event(eventfd(1, EFD_CLOEXEC));
  int readable = 0;
  int ticks = 0;
  int signal_seen = 0;
  REQUIRE(loop->watch(event.get(), [&] {
    eventfd_t value = 0;
    eventfd_read(event.get(), &value);
    ++readable;
  }));
  REQUIRE(loop->on_signals({SIGUSR1}, [&](int signal) {
    signal_seen = signal;
    loop->stop();
  }));
  REQUIRE(loop->every(5ms, [&] {
    if (++ticks == 3) pthread_kill(pthread_self(), SIGUSR1);
  }));
  REQUIRE(loop->run());
  CHECK(readable == 1);
  CHECK(ticks >= 3);
  CHECK(signal_seen == SIGUSR1);
}

TEST_CASE("what can't be watched is an error") {
  auto loop = fwd::EventLoop::make();
  REQUIRE(loop);
  CHECK_FALSE(loop->watch(-1, [] {}));
}

}  // namespace
