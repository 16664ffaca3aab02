#include "fwd/background_job.h"

#include <chrono>
#include <semaphore>

#include <catch2/catch.hpp>

namespace {

using fwd::BackgroundJob;

TEST_CASE("a job runs once for all who want it while it is running") {
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> may_end(0);
  int runs = 0;
  {
    BackgroundJob job([&] {
      ++runs;
      begun.release();
      may_end.acquire();
    });
    job.want();
    begun.acquire();
    for (int i = 0; i < 100; ++i) job.want();
    may_end.release(2);
    begun.acquire();
  }
  CHECK(runs == 2);
}

TEST_CASE("a job that nobody wants doesn't run, and its end waits for nothing") {
  bool ran = false;
  {
    BackgroundJob job([&] { ran = true; });
  }
  CHECK_FALSE(ran);
}

TEST_CASE("who ends a job doesn't wait for its pause, and it doesn't run any more") {
  bool ran = false;
  {
    BackgroundJob job([&] { ran = true; }, std::chrono::hours(1));
    job.want();
  }
  CHECK_FALSE(ran);
}

TEST_CASE("a job that pauses runs all the same") {
  std::counting_semaphore<> begun(0);
  BackgroundJob job([&] { begun.release(); }, std::chrono::milliseconds(1));
  job.want();
  begun.acquire();
}

}  // namespace
