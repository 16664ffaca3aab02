#include "fwd/audit/resume.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>

#include "fwd/audit/drain.h"
#include "fwd/audit/ecs.h"
#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;
using fwd::test::Scratch;

// A daemon's audit as far as it matters here; it ends without a word when it is destroyed.
class Life {
 public:
  explicit Life(const Scratch& scratch, std::size_t ring_records = 64) {
    auto file = LogFile::open(scratch.path("audit.json")).value();
    auto ledger = Ledger::open(scratch.path()).value();
    told = resume(ledger, file).value();
    drain.emplace(Drain::Settings{1, ring_records, 0},
                  std::make_unique<EcsEncoder>("web01", interface_name), std::move(file),
                  std::move(ledger), told.end);
    drain->learn(PolicyNames(policy(), 7));
    for (const Gap& gap : told.gaps) drain->note(gap);
  }

  void decide(int count) {
    for (int record = 0; record < count; ++record) drain->ring(0).push(denied());
  }
  void write() {
    drain->sample();
    drain->run(true);
  }

  Resumption told;
  std::optional<Drain> drain;
};

// In a process of its own, which is killed in the middle of it.
template <typename Work>
void in_killed_process(const Work& work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    work();
    raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

std::uint64_t missing(const Resumption& told) {
  std::uint64_t sum = 0;
  for (const Gap& gap : told.gaps) sum += gap.count;
  return sum;
}

bool balanced(const LogState& state) {
  const auto& before = state.before;
  const auto& now = state.counters;
  return before.decided == before.written + before.folded + before.lost &&
         now.decided == now.written + now.folded + now.lost + now.waiting;
}

}  // namespace

TEST_CASE("what a killed daemon had decided and not written is told exactly") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(5);
    life.write();
    life.decide(3);
  });
  Life life(scratch);
  REQUIRE(life.told.gaps.size() == 1);
  CHECK(life.told.gaps[0].count == 3);
  CHECK(life.told.gaps[0].reason == GapReason::Killed);
  CHECK(life.told.gaps[0].from_ns <= life.told.gaps[0].to_ns);
  life.write();
  const auto state = life.drain->state();
  CHECK(balanced(state));
  CHECK(state.before.decided == 5);
  CHECK(state.counters.lost == 3);
  const auto lines = parse_lines(scratch.read("audit.json"));
  REQUIRE(lines.size() == 6);
  CHECK(lines[5]["event"]["reason"] == "killed");
  CHECK(lines[5]["fwd"]["count"] == 3);
}

TEST_CASE("what the rings had no room for counts, too") {
  const Scratch scratch;
  in_killed_process([&] { Life(scratch, 4).decide(10); });
  CHECK(missing(Life(scratch).told) == 10);
}

TEST_CASE("a gap that was never written is told by the next daemon") {
  const Scratch scratch;
  in_killed_process([&] { Life(scratch).decide(4); });
  in_killed_process([&] { Life(scratch).decide(2); });
  Life life(scratch);
  CHECK(missing(life.told) == 6);
  life.write();
  CHECK(missing(Life(scratch).told) == 0);
}

TEST_CASE("lines that reached the file and not the ledger are found there") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(7);
    life.write();
    life.decide(2);
  });
  // As of before the write: the process was killed right after it.
  auto ledger = Ledger::open(scratch.path()).value();
  auto progress = ledger.progress();
  progress.written = 3;
  progress.sequence = 3;
  ledger.note(progress);
  Life life(scratch);
  CHECK(life.told.end.sequence == 7);
  CHECK(missing(life.told) == 2);
  CHECK(life.told.events.empty());
}

TEST_CASE("they are found also where the file was renamed meanwhile") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(7);
    life.write();
  });
  auto ledger = Ledger::open(scratch.path()).value();
  auto progress = ledger.progress();
  progress.written = 3;
  progress.sequence = 3;
  ledger.note(progress);
  std::filesystem::rename(scratch.path("audit.json"), scratch.path("audit.json.1"));
  Life life(scratch);
  CHECK(life.told.end.sequence == 7);
  CHECK(missing(life.told) == 0);
  life.decide(1);
  life.write();
  CHECK(parse_lines(scratch.read("audit.json")).at(0)["event"]["sequence"] == 8);
}

TEST_CASE("a torn last line is cut off and told, and its decision is in the gap") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(1);
    life.write();
    life.decide(1);
  });
  scratch.write("audit.json", scratch.read("audit.json") + "{\"@time");
  const Life life(scratch);
  REQUIRE(life.told.events.size() == 1);
  CHECK(life.told.events[0].action == "repair");
  CHECK(life.told.events[0].message ==
        "the last line of the audit log was incomplete: 7 bytes were cut off");
  CHECK(missing(life.told) == 1);
}

TEST_CASE("an end of the log that is missing or another is told, and the chain shows it") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(3);
    life.write();
  });
  const auto whole = scratch.read("audit.json");
  scratch.write("audit.json", whole.substr(0, whole.find('\n') + 1));
  {
    const Life life(scratch);
    REQUIRE(life.told.events.size() == 1);
    CHECK(life.told.events[0].message ==
          "the audit log ends with line 1, but 3 lines were written: the rest is missing");
    CHECK(life.told.end.sequence == 3);
  }
  auto other = whole;
  other[other.size() - 5] = other[other.size() - 5] == '0' ? '1' : '0';
  scratch.write("audit.json", other);
  const Life life(scratch);
  REQUIRE(life.told.events.size() == 1);
  CHECK(life.told.events[0].message == "line 3 of the audit log isn't the one that was written");
}

TEST_CASE("a log that was deleted goes on with the chain that it had") {
  const Scratch scratch;
  in_killed_process([&] {
    Life life(scratch);
    life.decide(3);
    life.write();
  });
  std::filesystem::remove(scratch.path("audit.json"));
  Life life(scratch);
  life.decide(1);
  life.write();
  CHECK(parse_lines(scratch.read("audit.json")).at(0)["event"]["sequence"] == 4);
  CHECK(balanced(life.drain->state()));
}
