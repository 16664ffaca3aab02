#include "fwd/beside.h"

#include <chrono>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/fwd/no_threads.h"

using namespace std::chrono_literals;

TEST_CASE("a task has a thread of its own") {
  const auto here = std::this_thread::get_id();
  auto elsewhere = fwd::beside([here] { return std::this_thread::get_id() != here; });
  CHECK(elsewhere.get());
}

TEST_CASE(
    "where the system refuses a thread the task waits for who wants its result, with all that it "
    "has") {
  const fwd::test::NoThreads none;
  const auto here = std::this_thread::get_id();
  auto result = fwd::beside([here, number = std::make_shared<int>(7)] {
    return std::this_thread::get_id() == here ? *number : 0;
  });
  CHECK(result.wait_for(0s) == std::future_status::deferred);
  CHECK(result.get() == 7);
}
