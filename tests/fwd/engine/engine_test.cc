#include "fwd/engine/engine.h"

#include <thread>

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"

using fwd::engine::Engine;
using fwd::kernel::PacketClass;
using rules::Action;
using namespace std::chrono_literals;

namespace {

using namespace tests;

constexpr unsigned kWorkers = 3;

// Takes every record and forgets it; workers share it.
class DroppingSink final : public fwd::engine::RecordSink {
 public:
  std::size_t push(unsigned, std::span<const fwd::audit::VerdictRecord> records) noexcept override {
    return records.size();
  }
};

// Workers that always have something to do: port 80 and one that only the default decides.
struct Busy {
  DroppingSink sink;
  std::vector<EndlessSource*> sources;
  std::unique_ptr<Engine> engine;

  Busy() {
    std::vector<std::unique_ptr<fwd::kernel::PacketSource>> owned;
    for (unsigned number = 0; number < kWorkers; ++number) {
      std::vector<Queued> batch;
      batch.emplace_back(1, PacketClass::New, bytes(IPv4{} / Tcp{.dport = 80}));
      batch.emplace_back(2, PacketClass::New, bytes(IPv4{} / Tcp{.dport = 9}));
      auto source = std::make_unique<EndlessSource>(std::move(batch));
      sources.push_back(source.get());
      owned.push_back(std::move(source));
    }
    engine = std::make_unique<Engine>(std::move(owned), sink);
  }

  std::uint64_t answered() const {
    std::uint64_t sum = 0;
    for (const auto* source : sources) sum += source->answered();
    return sum;
  }

  void publish(std::vector<rules::Rule> rules, std::uint64_t version) const {
    const auto generation = static_cast<fwd::kernel::Generation>(version % 63 + 1);
    engine->publish(active(policy_of(std::move(rules)), version, generation, kWorkers));
  }
};

template <typename Condition>
bool becomes_true(Condition condition) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

TEST_CASE("workers don't start without a policy") {
  const Busy busy;
  const auto started = busy.engine->start();
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().message() == "start the workers before there is a policy");
}

TEST_CASE("an engine is healthy while all its workers come round") {
  const Busy busy;
  busy.publish({tcp_rule(Action::Allow, 80)}, 1);
  CHECK_FALSE(busy.engine->healthy(1h * 24 * 365));
  REQUIRE(busy.engine->start());
  CHECK(becomes_true([&] { return busy.engine->healthy(500ms); }));
  busy.engine->stop();
  std::this_thread::sleep_for(20ms);
  CHECK_FALSE(busy.engine->healthy(10ms));
}

TEST_CASE("a policy that was replaced is let go once no worker uses it") {
  const Busy busy;
  busy.publish({tcp_rule(Action::Allow, 80)}, 1);
  const std::weak_ptr<const fwd::engine::ActivePolicy> first = busy.engine->policy();
  REQUIRE(busy.engine->start());
  REQUIRE(becomes_true([&] { return busy.answered() > 0; }));
  busy.publish({tcp_rule(Action::Allow, 80)}, 2);
  CHECK_FALSE(first.expired());
  CHECK(becomes_true([&] {
    busy.engine->let_go_of_retired();
    return first.expired();
  }));
  busy.engine->stop();
}

TEST_CASE(
    "counts per rule add up over many commits, and packets are never missed or counted twice") {
  const Busy busy;
  busy.publish({tcp_rule(Action::Allow, 80)}, 1);
  REQUIRE(busy.engine->start());
  for (std::uint64_t version = 2; version <= 200; ++version) {
    std::vector<rules::Rule> rules{tcp_rule(Action::Allow, 80)};
    if (version % 2 == 0) rules.insert(rules.begin(), tcp_rule(Action::Deny, 25));
    {
      const auto hold = busy.engine->hold();
      busy.publish(std::move(rules), version);
      busy.engine->publish_interfaces({{1, "lo"}});
    }
    busy.engine->let_go_of_retired();
  }
  const auto soon = busy.answered() + 1000;
  REQUIRE(becomes_true([&] { return busy.answered() > soon; }));
  busy.engine->stop();

  const auto totals = busy.engine->rule_totals();
  REQUIRE(totals.rules.size() == 2);
  CHECK(totals.policy->version == 200);
  CHECK(totals.rules[0] == 0);
  CHECK(totals.rules[1] == busy.answered() / 2);
  CHECK(totals.default_in == busy.answered() / 2);
  CHECK(totals.default_out == 0);
  CHECK(busy.engine->packet_totals().packet_count() == busy.answered());
  std::uint64_t by_queue = 0;
  for (const auto& queue : busy.engine->queue_totals()) by_queue += queue.packets;
  CHECK(by_queue == busy.answered());
}

TEST_CASE("no packet is answered while the workers are held") {
  const Busy busy;
  busy.publish({tcp_rule(Action::Allow, 80)}, 1);
  REQUIRE(busy.engine->start());
  REQUIRE(becomes_true([&] { return busy.answered() > 100; }));
  std::uint64_t held_at = 0;
  {
    const auto hold = busy.engine->hold(5s);
    REQUIRE(hold.complete());
    held_at = busy.answered();
    std::this_thread::sleep_for(30ms);
    CHECK(busy.answered() == held_at);
  }
  CHECK(becomes_true([&] { return busy.answered() > held_at; }));
}

TEST_CASE("a hold that can't have every worker says so in time") {
  const Busy busy;
  const auto first = busy.engine->hold();
  REQUIRE(first.complete());
  bool complete = true;
  std::thread([&] { complete = busy.engine->hold(10ms).complete(); }).join();
  CHECK_FALSE(complete);
}
