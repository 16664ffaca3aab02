#include "fwd/keep_alive.h"

#include <thread>

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"
#include "tests/fwd/policy/managed.h"

using fwd::KeepAlive;
using namespace std::chrono_literals;

namespace {

using namespace tests;

constexpr auto kLease = 1s;

// Workers on idle queues, the first of which may hang, and all that depends on them.
class Host {
 public:
  Host() {
    std::vector<std::unique_ptr<fwd::kernel::PacketSource>> sources;
    for (int i = 0; i < 2; ++i) {
      auto source = std::make_unique<HangingSource>();
      sources_.push_back(source.get());
      sources.push_back(std::move(source));
    }
    engine_ = std::make_unique<fwd::engine::Engine>(std::move(sources), managed_.sink);
    keep_alive_ = std::make_unique<KeepAlive>(
        fwd::policy::Lease(*engine_, managed_.firewall, kLease), managed_.firewall,
        *managed_.manager,
        fwd::KeepAliveActions{
            .feed_watchdog = [this] { ++fed; },
            .lease_ran_out = [this] { ++ran_out; },
            .first_lease = [this] { ++first; },
            .restored = [this](const std::string& damage) { restored.push_back(damage); }});
    engine_->publish(active(policy_of({}), 1, 1, 2));
    REQUIRE(engine_->start());
  }
  ~Host() { hang(false); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void hang(bool hangs) { sources_.front()->hang(hangs); }
  bool beat() { return keep_alive_->beat(now += 100ms); }
  bool beats(bool expected) {
    for (int attempt = 0; attempt < 500; ++attempt) {
      if (beat() == expected) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  fwd::test::FakeFirewall& firewall() { return managed_.firewall; }
  fwd::test::Managed& managed() { return managed_; }
  std::size_t leases() {
    return static_cast<std::size_t>(std::ranges::count(managed_.firewall.calls, "lease"));
  }

  int fed = 0;
  int ran_out = 0;
  int first = 0;
  std::vector<std::string> restored;
  KeepAlive::Time now{};

 private:
  fwd::test::Managed managed_{"allow in 80/tcp\n"};
  std::vector<HangingSource*> sources_;
  std::unique_ptr<fwd::engine::Engine> engine_;
  std::unique_ptr<KeepAlive> keep_alive_;
};

}  // namespace

TEST_CASE("one worker of two that hangs ends the lease and the watchdog's feeding") {
  Host host;
  REQUIRE(host.beats(true));
  CHECK(host.fed == 1);
  CHECK(host.leases() == 1);
  CHECK(host.first == 1);

  host.hang(true);
  REQUIRE(host.beats(false));
  const auto leases = host.leases();
  const int fed = host.fed;
  const int ran_out = host.ran_out;
  host.now += kLease;
  for (int i = 0; i < 5; ++i) CHECK_FALSE(host.beat());
  CHECK(host.fed == fed);
  CHECK(host.leases() == leases);
  CHECK(host.ran_out == ran_out + 5);

  host.hang(false);
  CHECK(host.beats(true));
  CHECK(host.leases() == leases + 1);
}

TEST_CASE("a pause that is longer than the lease is told, also where the workers are well again") {
  Host host;
  REQUIRE(host.beats(true));
  REQUIRE(host.beat());
  const int before = host.ran_out;
  host.now += 2 * kLease;
  REQUIRE(host.beat());
  CHECK(host.ran_out == before + 1);
}

TEST_CASE("a table that somebody took away or changed is put back and told") {
  Host host;
  REQUIRE(host.beats(true));
  host.firewall().table.reset();
  REQUIRE(host.beat());
  host.firewall().damaged = "chain a_input";
  REQUIRE(host.beat());
  CHECK(host.restored == std::vector<std::string>{"it is gone", "chain a_input"});
  CHECK(host.managed().consistent());
  CHECK(host.first == 3);
}

TEST_CASE("a table that `fwd --disable` took away stays away, and the watchdog is still fed") {
  Host host;
  REQUIRE(host.beats(true));
  REQUIRE(fwd::policy::EnabledMark(host.managed().state.path()).write(false));
  host.firewall().table.reset();
  const int fed = host.fed;
  CHECK(host.beat());
  CHECK(host.beat());
  CHECK(host.restored.empty());
  CHECK_FALSE(host.firewall().table);
  CHECK(host.fed == fed + 2);
}

TEST_CASE("a lost table is looked for more often than once a second") {
  CHECK(KeepAlive::interval(3s) == 500ms);
  CHECK(KeepAlive::interval(60s) == 500ms);
  CHECK(KeepAlive::interval(300ms) == 100ms);
}
