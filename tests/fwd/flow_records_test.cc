#include "fwd/flow_records.h"

#include <catch2/catch.hpp>

#include "fwd/policy/build.h"
#include "tests/fwd/audit/records.h"

namespace {

using fwd::flow_record;
using fwd::kernel::ConnectionState;
using fwd::kernel::CtEntry;
using fwd::kernel::CtMark;
using fwd::kernel::FlowEnd;
using rules::Direction;

constexpr std::int64_t kNow = fwd::audit::test::kTime_ns;
constexpr fwd::kernel::Generation kGeneration = 2;

auto policy(const std::string& text, fwd::Mode mode = fwd::Mode::Enforce) {
  auto built =
      fwd::policy::build({{"policy.fw", text}, {}}, {},
                         {.version = 5, .generation = kGeneration, .mode = mode, .workers = 1});
  REQUIRE(built);
  return built->active;
}

FlowEnd ended(std::uint16_t port, ConnectionState state = ConnectionState::Approved,
              fwd::kernel::Generation generation = kGeneration) {
  FlowEnd end;
  end.first = fwd::audit::test::tcp("203.0.113.7", 51514, "10.0.0.11", port);
  end.mark = CtMark{}.encode(state, generation) | 0x1234;
  return end;
}

auto recorded(const FlowEnd& end, const std::string& text, fwd::Mode mode = fwd::Mode::Enforce) {
  return flow_record(end, {}, Direction::In, *policy(text, mode), kNow);
}

}  // namespace

TEST_CASE("a flow has the rule that let it live, and the policy's version") {
  const auto record = recorded(ended(443), "allow in 80/tcp\nallow in 443/tcp\n");
  REQUIRE(record);
  CHECK(record->policy_version == 5);
  REQUIRE(record->decision);
  CHECK(record->decision->by == rules::DecidedBy::Rule);
  CHECK(record->decision->index == 1);
  CHECK(!record->revoked);
  CHECK(record->end_ns == kNow);
  CHECK(!record->traffic);
  CHECK(!record->start_ns);
}

TEST_CASE("what the kernel counted and timed is carried over") {
  FlowEnd end = ended(80);
  end.counts = CtEntry::Counts{{1, 60}, {2, 120}};
  end.start_ns = 5;
  end.stop_ns = 7;
  const auto record = recorded(end, "allow in 80/tcp\n");
  REQUIRE(record);
  CHECK(record->traffic->source == fwd::audit::Traffic{1, 60});
  CHECK(record->traffic->destination == fwd::audit::Traffic{2, 120});
  CHECK(record->start_ns == 5);
  CHECK(record->end_ns == 7);
}

TEST_CASE("no rule is named that can't have decided") {
  const std::string text = "allow in 80/tcp\n";
  CHECK(!recorded(ended(81), text)->decision);  // denied now: expected, let in by another's rule
  CHECK(!recorded(ended(80, ConnectionState::Approved, kGeneration - 1), text)->decision);
  CHECK(!recorded(ended(80, ConnectionState::Revoked), text)->decision);
  CHECK(!flow_record(ended(80), {}, std::nullopt, *policy(text), kNow)->decision);
  CHECK(!recorded(ended(80), "allow in on eth1 80/tcp\nallow in 80/tcp\n")->decision);
  CHECK(recorded(ended(80), "allow in on eth1 443/tcp\nallow in 80/tcp\n")->decision);
}

TEST_CASE("a connection that was cut names the rule that denies it") {
  const auto record = recorded(ended(22, ConnectionState::Revoked), "deny in 22/tcp\n");
  REQUIRE(record);
  CHECK(record->revoked);
  REQUIRE(record->decision);
  CHECK(record->decision->action == rules::Action::Deny);
}

TEST_CASE("in observe mode a flow names the rule that would have denied it") {
  const auto record = recorded(ended(22), "deny in 22/tcp\n", fwd::Mode::Observe);
  REQUIRE(record->decision);
  CHECK(record->decision->action == rules::Action::Deny);
}

TEST_CASE("a rule without log has no flows either") {
  const std::string text = "allow in 80/tcp log none\nallow in 443/tcp\n";
  CHECK(!recorded(ended(80), text));
  CHECK(recorded(ended(443), text));
}

TEST_CASE(
    "a connection that isn't in its rule's sample has no flow of its own, unless it was cut") {
  const std::string text = "allow in 80/tcp log sample 1000000\nallow in 443/tcp\n";
  CHECK(recorded(ended(80), text)->sampled_out);
  CHECK_FALSE(recorded(ended(443), text)->sampled_out);
  CHECK_FALSE(recorded(ended(80, ConnectionState::Revoked), text)->sampled_out);
}

TEST_CASE(
    "who opened a connection is told from the host's addresses, read again when they change") {
  int read = 0;
  std::set<rules::Address> own{*rules::parse_address("10.0.0.11")};
  fwd::DirectionFinder::Clock::time_point now{std::chrono::hours(1)};
  fwd::DirectionFinder finder(
      [&] {
        ++read;
        return own;
      },
      [&] { return now; });
  const auto in = ended(80).first;
  auto out = in;
  std::swap(out.source, out.destination);
  CHECK(finder.of(in) == Direction::In);
  CHECK(finder.of(out) == Direction::Out);
  CHECK(read == 1);

  auto other = in;
  other.destination = *rules::parse_address("10.0.0.12");
  own.insert(other.destination);
  CHECK(!finder.of(other));  // read a moment ago
  now += std::chrono::seconds(1);
  CHECK(finder.of(other) == Direction::In);
  CHECK(read == 2);
  own.clear();
  now += std::chrono::seconds(6);
  CHECK(!finder.of(in));
}
