#include "fwd/policy/later_sweep.h"

#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <vector>

#include <catch2/catch.hpp>

#include "fwd/policy/build.h"

namespace {

using fwd::policy::LaterSweep;

LaterSweep::Active policy_of_version(std::uint64_t version) {
  const auto built =
      fwd::policy::build({{"policy.fw", "allow in 80/tcp\n"}, {}}, {}, {.version = version});
  REQUIRE(built);
  return built->active;
}

// Sweeps that begin when they are wanted and end when they may.
struct Sweeps {
  std::vector<std::uint64_t> versions;
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> may_end{0};

  void sweep(const LaterSweep::Active& active) {
    versions.push_back(active->version);
    begun.release();
    may_end.acquire();
  }
};

TEST_CASE("a sweep that is wanted comes, with the policy that was named last") {
  Sweeps sweeps;
  {
    LaterSweep later([&](const auto& active) { sweeps.sweep(active); });
    later.want(policy_of_version(1));
    sweeps.begun.acquire();
    later.want(policy_of_version(2));
    later.want(policy_of_version(3));
    sweeps.may_end.release(2);
    sweeps.begun.acquire();
  }
  CHECK(sweeps.versions == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("after the end of all sweeps none begins that was wanted before") {
  Sweeps sweeps;
  std::size_t swept = 0;
  {
    LaterSweep later([&](const auto& active) { sweeps.sweep(active); });
    later.want(policy_of_version(1));
    sweeps.begun.acquire();
    later.want(policy_of_version(2));
    sweeps.may_end.release(2);
    later.end();
    swept = sweeps.versions.size();
  }
  CHECK(sweeps.versions.size() == swept);
}

}  // namespace
