#include "fwd/limit_records.h"

#include <array>

#include <catch2/catch.hpp>

#include "fwd/policy/build.h"

namespace {

auto policy(const std::string& text, fwd::Mode mode = fwd::Mode::Enforce) {
  auto built = fwd::policy::build({{"policy.fw", text}, {}}, {},
                                  {.version = 5, .generation = 2, .mode = mode, .workers = 1});
  REQUIRE(built);
  return built->active;
}

// 192.0.2.1:1024 -> 192.0.2.2:22, TCP SYN.
constexpr std::array<unsigned char, 40> kSyn = {
    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192,  0, 2, 1, 192, 0, 2, 2,  //
    0x04, 0, 0, 22, 0, 0, 0, 0, 0,  0, 0, 0, 0x50, 2, 0, 0, 0,   0, 0, 0};

TEST_CASE("a meter's report becomes a record of the rule with that slot") {
  const auto active = policy("allow in 80/tcp\nlimit in 22/tcp\nlimit in 25/tcp\n");
  fwd::kernel::LimitEvent event;
  event.slot = 1;
  event.refused = true;
  event.interface_index = 7;
  event.packet = std::as_bytes(std::span(kSyn));
  const auto refused = fwd::limit_record(event, *active, 1234);
  REQUIRE(refused);
  CHECK(refused->realtime_ns == 1234);
  CHECK(refused->policy_version == 5);
  CHECK(refused->interface_index == 7);
  CHECK(refused->judgement.outcome == fwd::engine::Outcome::Drop);
  CHECK(refused->judgement.reason == fwd::engine::Reason::RateLimit);
  CHECK(refused->judgement.decision.index == 1);
  CHECK(refused->judgement.decoded);
  CHECK(refused->judgement.packet.destination_port == 22);

  event.slot = 2;
  event.refused = false;
  const auto allowed = fwd::limit_record(event, *active, 1234);
  REQUIRE(allowed);
  CHECK(allowed->judgement.outcome == fwd::engine::Outcome::Approve);
  CHECK(allowed->judgement.reason == fwd::engine::Reason::Rule);
  CHECK(allowed->judgement.decision.index == 2);
}

TEST_CASE("in observe mode a meter's refusal is none") {
  const auto active = policy("limit in 22/tcp\n", fwd::Mode::Observe);
  fwd::kernel::LimitEvent event;
  event.slot = 1;
  event.refused = true;
  event.packet = std::as_bytes(std::span(kSyn));
  const auto refused = fwd::limit_record(event, *active, 1234);
  REQUIRE(refused);
  CHECK(refused->judgement.reason == fwd::engine::Reason::RateLimit);
  CHECK(refused->judgement.done() == fwd::engine::Outcome::Approve);
  event.refused = false;
  CHECK_FALSE(fwd::limit_record(event, *active, 1234)->judgement.instead);
}

TEST_CASE("a slot that the policy hasn't, or a rule with log none, makes no record") {
  const auto active = policy("limit in 22/tcp log none\n");
  fwd::kernel::LimitEvent event;
  event.packet = std::as_bytes(std::span(kSyn));
  for (const auto slot : std::to_array<fwd::kernel::LimitSlot>({0, 1, 2})) {
    event.slot = slot;
    CHECK_FALSE(fwd::limit_record(event, *active, 1));
  }
}

TEST_CASE("what a meter let through is sampled, what it refused isn't") {
  const auto active = policy("limit in 22/tcp log sample 1000000\n");
  fwd::kernel::LimitEvent event;
  event.slot = 1;
  event.packet = std::as_bytes(std::span(kSyn));
  CHECK(fwd::limit_record(event, *active, 1)->sampled_out);
  event.refused = true;
  CHECK_FALSE(fwd::limit_record(event, *active, 1)->sampled_out);
}

TEST_CASE("a packet that can't be decoded is told as such") {
  const auto active = policy("limit in 22/tcp\n");
  fwd::kernel::LimitEvent event;
  event.slot = 1;
  const auto record = fwd::limit_record(event, *active, 1);
  REQUIRE(record);
  CHECK_FALSE(record->judgement.decoded);
  CHECK(record->judgement.malformed == rules::Malformed::Empty);
}

TEST_CASE("a policy has at most as many limit rules as a verdict has slots") {
  std::string text;
  for (int port = 1; port <= 1024; ++port) text += "limit in " + std::to_string(port) + "/tcp\n";
  const auto built = fwd::policy::build({{"policy.fw", text}, {}}, {}, {});
  REQUIRE_FALSE(built);
  CHECK(built.error().message == "policy.fw:1024: a policy has at most 1023 limit rules");
}

}  // namespace
