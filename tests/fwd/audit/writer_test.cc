#include "fwd/audit/writer.h"

#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;
using fwd::test::Scratch;

std::unique_ptr<Writer> open_writer(const std::string& path, unsigned workers = 1,
                                    std::size_t ring_records = 8192) {
  auto writer = Writer::open({.path = path,
                              .hostname = "web01",
                              .workers = workers,
                              .ring_records = ring_records,
                              .interface_names = interface_name});
  REQUIRE(writer);
  (*writer)->policy(std::make_shared<const fwd::engine::ActivePolicy>(
      policy(), 7, fwd::kernel::Generation{1}, fwd::Mode::Enforce, 1));
  return std::move(*writer);
}

bool balanced(const Counters& counters) {
  return counters.decided == counters.written + counters.folded + counters.lost + counters.waiting;
}

bool eventually(const std::function<bool()>& condition) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::vector<nlohmann::json> lines_of(const Scratch& scratch, const std::string& name) {
  return parse_lines(scratch.read(name));
}

// Every sequence number once, in order, whatever file the line is in.
bool consecutive(const std::vector<nlohmann::json>& lines, std::uint64_t first = 1) {
  for (const auto& line : lines) {
    if (line["event"]["sequence"] != first++) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("the log says when auditing began and ended, and every decision between") {
  const Scratch scratch;
  {
    auto writer = open_writer(scratch.path("audit.json"));
    CHECK(writer->push(0, denied()));
    CHECK(writer->push(writer->control(), denied()));
    writer->stop();
    CHECK(writer->counters().written == 2);
  }
  const auto lines = lines_of(scratch, "audit.json");
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["event"]["action"] == "start");
  CHECK(lines[1]["rule"]["name"] == "replication");
  CHECK(lines[3]["event"]["action"] == "stop");
  CHECK(consecutive(lines));
}

TEST_CASE("a record is in the file soon after it was pushed") {
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until it sleeps
  writer->push(0, denied());
  CHECK(eventually([&] { return writer->counters().written == 1; }));
}

TEST_CASE("a restart goes on with the sequence") {
  const Scratch scratch;
  open_writer(scratch.path("audit.json"));
  open_writer(scratch.path("audit.json"));
  const auto lines = lines_of(scratch, "audit.json");
  CHECK(lines.size() == 4);
  CHECK(consecutive(lines));
}

TEST_CASE("a line that a crash tore is cut off and told as a gap") {
  const Scratch scratch;
  open_writer(scratch.path("audit.json"));
  scratch.write("audit.json", scratch.read("audit.json") + "{\"@timestamp\":\"2026-");
  open_writer(scratch.path("audit.json"));
  const auto lines = lines_of(scratch, "audit.json");
  REQUIRE(lines.size() == 5);
  CHECK(lines[2]["event"]["reason"] == "torn_line");
  CHECK(lines[2]["fwd"]["count"] == 1);
  CHECK(consecutive(lines));
}

TEST_CASE("events are written as they come") {
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"));
  writer->event(
      HealthEvent{HealthType::Info, "fallback", "the kernel's copy decides", "queue_full", 12});
  CHECK(eventually(
      [&] { return count_dataset(lines_of(scratch, "audit.json"), "fwd.health") == 2; }));
}

TEST_CASE("under a flood the equation holds at every moment, and in the file at the end") {
  constexpr unsigned kWorkers = 3;
  constexpr std::uint64_t kRecords = 20'000;
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"), kWorkers, 256);
  std::atomic<unsigned> running{kWorkers};
  std::vector<std::thread> workers;
  for (unsigned worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      for (std::uint64_t record = 0; record < kRecords; ++record) writer->push(worker, denied());
      --running;
    });
  }
  bool always = true;
  while (running != 0) always = always && balanced(writer->counters());
  for (auto& worker : workers) worker.join();
  writer->stop();

  CHECK(always);
  const auto counters = writer->counters();
  CHECK(counters.decided == kWorkers * kRecords);
  CHECK(counters.waiting == 0);
  CHECK(balanced(counters));
  const auto lines = lines_of(scratch, "audit.json");
  CHECK(consecutive(lines));
  CHECK(count_dataset(lines, "fwd.verdict") == counters.written);
  CHECK(count_missing(lines) == counters.lost);
}

TEST_CASE("with a full disk it counts, and goes on by itself when there is room again") {
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"), 1, 64);
  REQUIRE(eventually([&] { return scratch.read("audit.json").size() > 0; }));
  {
    const FileSizeLimit limit(scratch.read("audit.json").size() + 3000);
    bool always = true;
    for (int record = 0; record < 500; ++record) {
      writer->push(0, denied());
      always = always && balanced(writer->counters());
    }
    CHECK(always);
    REQUIRE(eventually([&] { return writer->counters().written >= 1; }));
    CHECK(writer->counters().lost > 300);
  }
  CHECK(eventually([&] { return writer->counters().waiting == 0; }));
  writer->stop();
  const auto lines = lines_of(scratch, "audit.json");
  CHECK(consecutive(lines));
  CHECK(count_dataset(lines, "fwd.verdict") == writer->counters().written);
  CHECK(count_missing(lines) == writer->counters().lost);
}

TEST_CASE("stopping with a full disk ends, and counts what was not written") {
  const Scratch scratch;
  const FileSizeLimit limit(0);
  auto writer = open_writer(scratch.path("audit.json"));
  writer->push(0, denied());
  writer->stop();
  CHECK(writer->counters().lost == 1);
  CHECK(balanced(writer->counters()));
}

TEST_CASE("rotation by rename loses nothing") {
  constexpr int kRotations = 20;
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto writer = open_writer(path, 1, 65536);
  std::atomic<bool> done{false};
  std::thread worker([&] {
    while (!done) {
      writer->push(0, denied());
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  for (int rotation = 0; rotation < kRotations; ++rotation) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(std::rename(path.c_str(), (path + "." + std::to_string(rotation)).c_str()) == 0);
    REQUIRE(writer->reopen());
  }
  done = true;
  worker.join();
  writer->stop();

  std::string all;
  for (int rotation = 0; rotation < kRotations; ++rotation) {
    all += scratch.read("audit.json." + std::to_string(rotation));
  }
  const auto lines = parse_lines(all + scratch.read("audit.json"));
  CHECK(consecutive(lines));
  CHECK(writer->counters().lost == 0);
  CHECK(count_dataset(lines, "fwd.verdict") == writer->counters().decided);
}

TEST_CASE("the new file's first line goes on with the sequence even if nothing else follows") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto writer = open_writer(path);
  REQUIRE(eventually([&] { return scratch.read("audit.json").size() > 0; }));
  std::rename(path.c_str(), (path + ".1").c_str());
  REQUIRE(writer->reopen());
  REQUIRE(eventually([&] { return scratch.read("audit.json").size() > 0; }));
  const auto lines = lines_of(scratch, "audit.json");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["event"]["action"] == "rotate");
  CHECK(lines[0]["event"]["sequence"] == 2);
}

TEST_CASE("a file that is deleted or renamed is made again without being told") {
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"));
  REQUIRE(eventually([&] { return scratch.read("audit.json").size() > 0; }));
  std::filesystem::remove(scratch.path("audit.json"));
  writer->push(0, denied());
  CHECK(eventually([&] { return scratch.read("audit.json").size() > 0; }));
  writer->stop();
  const auto lines = lines_of(scratch, "audit.json");
  CHECK(lines.at(0)["event"]["action"] == "rotate");
  CHECK(count_dataset(lines, "fwd.verdict") == 1);
  CHECK(consecutive(lines, 2));
}

TEST_CASE("reopening the file that is in use changes nothing") {
  const Scratch scratch;
  auto writer = open_writer(scratch.path("audit.json"));
  REQUIRE(writer->reopen());
  writer->stop();
  CHECK(lines_of(scratch, "audit.json").size() == 2);
}

TEST_CASE("when the new file can't be made the old one stays in use") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto writer = open_writer(path);
  std::rename(path.c_str(), (path + ".1").c_str());
  std::filesystem::create_directory(path);
  const auto reopened = writer->reopen();
  REQUIRE_FALSE(reopened);
  CHECK(reopened.error().message() == "open the audit file " + path + ": Is a directory");
  writer->push(0, denied());
  writer->stop();
  CHECK(count_dataset(lines_of(scratch, "audit.json.1"), "fwd.verdict") == 1);
}

TEST_CASE("an audit file that can't be opened is an error") {
  const Scratch scratch;
  const auto writer = Writer::open({.path = scratch.path(),
                                    .hostname = "web01",
                                    .ring_records = 8,
                                    .interface_names = interface_name});
  REQUIRE_FALSE(writer);
  CHECK(writer.error().code == EISDIR);
}

TEST_CASE("records of connections that are cut wait for room, and all are written") {
  const Scratch scratch;
  const auto writer = open_writer(scratch.path("audit.json"), 1, 8);
  for (int i = 0; i < 200; ++i) writer->push_change(denied());
  writer->stop();
  CHECK(writer->counters().lost == 0);
  CHECK(writer->counters().written == 200);
}
