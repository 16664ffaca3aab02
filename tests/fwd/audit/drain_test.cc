#include "fwd/audit/drain.h"

#include <catch2/catch.hpp>

#include "fwd/audit/ecs.h"
#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"
#include "tests/support/allocations.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;
using fwd::test::Scratch;
using Progress = Drain::Progress;

// A drain of two rings of four records into audit.json.
class Fixture {
 public:
  explicit Fixture(std::size_t ring_records = 4, std::uint32_t lines_per_second = 0)
      : drain({2, ring_records, lines_per_second},
              std::make_unique<EcsEncoder>("web01", interface_name),
              LogFile::open(scratch.path("audit.json")).value(), Ledger(), {.sequence = 100}) {
    drain.learn(PolicyNames(policy(), 7));
  }

  void push(std::size_t ring, std::int64_t time) { drain.ring(ring).push(at_time(time)); }
  Progress pass() {
    drain.sample();
    return drain.run();
  }
  std::vector<nlohmann::json> lines() const { return parse_lines(scratch.read("audit.json")); }
  bool balanced() const {
    const auto counters = drain.counters();
    return counters.decided ==
           counters.written + counters.folded + counters.lost + counters.waiting;
  }

  const Scratch scratch;
  Drain drain;
};

std::vector<std::uint64_t> sequences(const std::vector<nlohmann::json>& lines) {
  std::vector<std::uint64_t> result;
  for (const auto& line : lines) result.push_back(line["event"]["sequence"]);
  return result;
}

}  // namespace

TEST_CASE("records of several rings are written in the order of their times") {
  Fixture fixture;
  for (const std::int64_t time : {1000, 4000, 5000}) fixture.push(0, time);
  for (const std::int64_t time : {2000, 3000, 6000}) fixture.push(1, time);
  CHECK(fixture.pass() == Progress::Moved);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 6);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    CHECK(lines[at]["@timestamp"] == "1970-01-01T00:00:00.00000" + std::to_string(at + 1) + "Z");
  }
  CHECK(sequences(lines) == std::vector<std::uint64_t>{101, 102, 103, 104, 105, 106});
  CHECK(fixture.pass() == Progress::Idle);
}

TEST_CASE("every line has the hash of the one before, also where the disk took only some of them") {
  Fixture fixture(16);
  fixture.push(0, 1000);
  fixture.pass();
  const auto line = fixture.scratch.read("audit.json").size();
  {
    const FileSizeLimit limit(3 * line + line / 2);
    for (int record = 0; record < 5; ++record) fixture.push(0, 2000);
    CHECK(fixture.pass() == Progress::Blocked);
  }
  fixture.pass();
  std::string before(64, '0');
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 6);
  for (const auto& one : lines) {
    CHECK(one["fwd"]["prev"] == before);
    before = one["fwd"]["hash"];
  }
  CHECK(ctl::api::text(fixture.drain.state().end.hash) == before);
  CHECK(fixture.drain.state().end.sequence == 106);
}

TEST_CASE("counters tell what was decided, written, lost and waits") {
  Fixture fixture;
  for (int record = 0; record < 6; ++record) fixture.push(0, 1000);
  auto counters = fixture.drain.counters();
  CHECK(counters.decided == 6);
  CHECK(counters.lost == 2);
  CHECK(counters.waiting == 4);
  CHECK(counters.written == 0);
  fixture.pass();
  counters = fixture.drain.counters();
  CHECK(counters.decided == 6);
  CHECK(counters.lost == 2);
  CHECK(counters.waiting == 0);
  CHECK(counters.written == 4);
  CHECK(counters.bytes == fixture.scratch.read("audit.json").size());
}

TEST_CASE("what a ring lost is a record of its own") {
  Fixture fixture;
  for (int record = 1; record <= 7; ++record) fixture.push(1, record * 1000);
  fixture.pass();
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 5);
  CHECK(lines[4]["event"]["dataset"] == "fwd.audit_gap");
  CHECK(lines[4]["event"]["reason"] == "ring_full");
  CHECK(lines[4]["fwd"]["from"] == "1970-01-01T00:00:00.000005Z");
  CHECK(lines[4]["fwd"]["to"] == "1970-01-01T00:00:00.000007Z");
  CHECK(lines[4]["fwd"]["count"] == 3);
  fixture.pass();
  CHECK(fixture.lines().size() == 5);
}

TEST_CASE("a flood is answered by one gap a second, and none is forgotten at the end") {
  Fixture fixture;
  for (int round = 0; round < 50; ++round) {
    for (int record = 0; record < 10; ++record) fixture.push(0, 1000);
    fixture.pass();
  }
  CHECK(count_dataset(fixture.lines(), "fwd.audit_gap") <= 3);
  fixture.drain.sample();
  fixture.drain.run(true);
  const auto missing = count_missing(fixture.lines());
  CHECK(missing == fixture.drain.counters().lost);
  CHECK(missing == 300);
}

TEST_CASE("while the disk is full records wait, then they are written and what fell out is told") {
  Fixture fixture;
  fixture.push(0, 1000);
  fixture.pass();
  const auto before = fixture.scratch.read("audit.json");
  {
    const FileSizeLimit limit(before.size() + 100);  // room for part of a line
    for (int record = 0; record < 6; ++record) fixture.push(0, 2000);
    CHECK(fixture.pass() == Progress::Blocked);
    CHECK(fixture.pass() == Progress::Blocked);
    CHECK(fixture.scratch.read("audit.json") == before);
    CHECK(fixture.drain.counters().waiting == 4);
    CHECK(fixture.balanced());
  }
  CHECK(fixture.pass() == Progress::Moved);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 6);
  CHECK(sequences(lines) == std::vector<std::uint64_t>{101, 102, 103, 104, 105, 106});
  CHECK(lines[5]["event"]["reason"] == "disk_full");
  CHECK(lines[5]["fwd"]["count"] == 2);
  CHECK(fixture.balanced());
}

TEST_CASE("of a batch that fits in part the whole lines count as written") {
  Fixture fixture;
  fixture.push(0, 1000);
  fixture.pass();
  const auto line = fixture.scratch.read("audit.json").size();
  {
    const FileSizeLimit limit(3 * line + line / 2);
    for (int record = 0; record < 4; ++record) fixture.push(0, 2000);
    CHECK(fixture.pass() == Progress::Blocked);
    CHECK(fixture.drain.counters().written == 3);
    CHECK(fixture.drain.counters().waiting == 2);
    CHECK(fixture.lines().size() == 3);
  }
  fixture.pass();
  CHECK(sequences(fixture.lines()) == std::vector<std::uint64_t>{101, 102, 103, 104, 105});
}

TEST_CASE("events wait for the disk, too, and come before the records") {
  Fixture fixture;
  {
    const FileSizeLimit limit(0);
    fixture.drain.note({HealthType::Start, "start", "fwd starts", {}});
    fixture.push(0, 1000);
    CHECK(fixture.pass() == Progress::Blocked);
  }
  fixture.pass();
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["event"]["dataset"] == "fwd.health");
  CHECK(lines[1]["event"]["dataset"] == "fwd.verdict");
}

TEST_CASE("what can't be written at the end is lost, not forgotten") {
  Fixture fixture;
  const FileSizeLimit limit(0);
  for (int record = 0; record < 3; ++record) fixture.push(0, 1000);
  CHECK(fixture.pass() == Progress::Blocked);
  CHECK(fixture.drain.abandon() == 3);
  CHECK(fixture.drain.counters().lost == 3);
  CHECK(fixture.drain.counters().waiting == 0);
  CHECK(fixture.balanced());
}

TEST_CASE("records are written in the words of the policy that decided them") {
  Fixture fixture;
  fixture.push(0, 1000);
  fixture.drain.learn(PolicyNames(policy("new comment"), 8));
  auto record = at_time(2000);
  record.policy_version = 8;
  fixture.drain.ring(0).push(record);
  fixture.pass();
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["rule"]["name"] == "replication");
  CHECK(lines[1]["rule"]["name"] == "new comment");
}

TEST_CASE("once warm, encoding and writing allocate nothing for a record") {
  Fixture fixture(1024);
  const auto pass_of = [&](int records) {
    for (int record = 0; record < records; ++record) {
      auto each = at_time(record);
      if (record % 2 == 0) each.judgement.packet = tcp("2001:db8:1:2:3:4:5:6", 1, "2001:db8::7", 2);
      fixture.drain.ring(0).push(each);
    }
    const std::uint64_t before = support::allocations();
    fixture.pass();
    return support::allocations() - before;
  };
  pass_of(1000);
  CHECK(pass_of(1000) == 0);
}

TEST_CASE("above the budget of a second decisions are told together, with the exact count") {
  Fixture fixture(16, 2);
  for (int record = 0; record < 5; ++record) fixture.push(0, 1'000'000'000 + record);
  fixture.pass();
  CHECK(fixture.drain.counters().waiting == 0);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[2]["message"] == "drop 3 tcp packets from 203.0.113.7 rule 9c1f02ab5d3e7a10");
  CHECK(lines[2]["fwd"]["packets"] == 3);
  CHECK(sequences(lines) == std::vector<std::uint64_t>{101, 102, 103});
  const auto counters = fixture.drain.counters();
  CHECK(counters.written == 2);
  CHECK(counters.folded == 3);
  CHECK(fixture.balanced());
}

TEST_CASE("what was folded is told in the words of its own policy, however many came since") {
  Fixture fixture(16, 1);
  fixture.push(0, 1'000'000'000);
  fixture.push(0, 1'000'000'000);
  for (std::uint64_t version = 8; version < 20; ++version) {
    fixture.drain.learn(PolicyNames(policy("another"), version));
    fixture.pass();
  }
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["rule"]["name"] == "replication");
}

TEST_CASE("a new second has a new budget") {
  Fixture fixture(16, 1);
  for (const std::int64_t second : {1, 1, 2, 2}) fixture.push(0, second * 1'000'000'000);
  fixture.pass();
  CHECK(fixture.drain.counters().written == 2);
  CHECK(fixture.drain.counters().folded == 2);
  CHECK(fixture.lines().size() == 4);
}

TEST_CASE("while the disk is full nothing is folded that has a line of its own") {
  Fixture fixture(16, 3);
  {
    const FileSizeLimit limit(0);
    for (int record = 0; record < 4; ++record) fixture.push(0, 1'000'000'000);
    for (int attempt = 0; attempt < 5; ++attempt) CHECK(fixture.pass() == Progress::Blocked);
    CHECK(fixture.drain.counters().waiting == 4);
    CHECK(fixture.balanced());
  }
  fixture.pass();
  CHECK(fixture.drain.counters().written == 3);
  CHECK(fixture.drain.counters().folded == 1);
  CHECK(fixture.balanced());
}

TEST_CASE("a fold that can't be written waits, and is lost only at the end") {
  Fixture fixture(16, 1);
  fixture.push(0, 1'000'000'000);
  fixture.pass();
  const auto line = fixture.scratch.read("audit.json").size();
  const FileSizeLimit limit(2 * line + line / 2);
  for (int record = 0; record < 3; ++record) fixture.push(0, 2'000'000'000);
  CHECK(fixture.pass() == Progress::Blocked);
  CHECK(fixture.drain.counters().written == 2);
  CHECK(fixture.drain.counters().waiting == 2);
  CHECK(fixture.balanced());
  CHECK(fixture.drain.abandon() == 2);
  CHECK(fixture.drain.counters().waiting == 0);
  CHECK(fixture.balanced());
}
