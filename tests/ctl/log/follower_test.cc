#include "ctl/log/follower.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <zlib.h>

#include "ctl/api/audit_chain.h"
#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::log;

namespace fs = std::filesystem;

namespace {

// A folder of its own with a log in it, which is gone after the test.
class Log {
 public:
  Log() {
    char name[] = "/tmp/fwd-follow-XXXXXX";
    folder_ = ::mkdtemp(name);
    append("");
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { fs::remove_all(folder_); }

  std::string path(const std::string& suffix = "") const {
    return (folder_ / ("audit.json" + suffix)).string();
  }
  void append(const std::string& text) const {
    std::ofstream(path(), std::ios::app | std::ios::binary) << text;
  }
  void lines(std::uint64_t first, std::uint64_t last) const {
    for (std::uint64_t sequence = first; sequence <= last; ++sequence)
      append(Line{.sequence = sequence}.text());
  }
  void rename(const std::string& from, const std::string& to) const {
    fs::rename(path(from), path(to));
  }

  void compress(const std::string& suffix) const {
    std::ifstream in(path(suffix), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const gzFile out = gzopen(path(suffix + ".gz").c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    fs::remove(path(suffix));
  }

 private:
  fs::path folder_;
};

// The sequences of all lines that are there, "1 2 3"; "?" for a line that has none.
std::string read_all(Follower& follower) {
  std::string text;
  while (true) {
    const auto line = follower.next();
    if (!line) return text + "error: " + line.error().message;
    if (!*line) return text;
    const auto sequence = api::facts_of(**line).sequence;
    text += (text.empty() ? "" : " ") + (sequence == 0 ? "?" : std::to_string(sequence));
  }
}

Follower follow(const Log& log, std::optional<Time> since = std::nullopt) {
  auto follower = Follower::open(log.path(), since);
  REQUIRE(follower);
  return *std::move(follower);
}

}  // namespace

TEST_CASE("lines are given out as they come, and none that was there before") {
  const Log log;
  log.lines(1, 3);
  Follower follower = follow(log);
  CHECK(read_all(follower).empty());
  log.lines(4, 5);
  CHECK(read_all(follower) == "4 5");
  CHECK(read_all(follower).empty());
  log.lines(6, 900);
  CHECK(read_all(follower).ends_with("899 900"));
}

TEST_CASE("a half line is waited for, and one that is replaced is never seen") {
  const Log log;
  log.lines(1, 1);
  const auto whole = fs::file_size(log.path());
  const std::string line = Line{.sequence = 2}.text();
  log.append(line.substr(0, 100));
  Follower follower = follow(log);
  CHECK(read_all(follower).empty());
  log.append(line.substr(100));
  CHECK(read_all(follower) == "2");

  log.append(line.substr(0, 100));
  CHECK(read_all(follower).empty());
  fs::resize_file(log.path(), whole + line.size());
  log.lines(3, 4);
  CHECK(read_all(follower) == "3 4");
}

TEST_CASE("a rotated log is read to its end, then the new one") {
  const Log log;
  log.lines(1, 1);
  Follower follower = follow(log);
  log.lines(2, 2);
  log.rename("", ".1");
  CHECK(read_all(follower) == "2");
  std::ofstream(log.path(".1"), std::ios::app) << Line{.sequence = 3}.text();
  CHECK(read_all(follower) == "3");
  log.append("");  // made, and nothing in it yet: the old one may still grow
  std::ofstream(log.path(".1"), std::ios::app) << Line{.sequence = 4}.text();
  CHECK(read_all(follower) == "4");
  std::ofstream(log.path(".1"), std::ios::app) << Line{.sequence = 5}.text();
  log.lines(6, 7);
  CHECK(read_all(follower) == "5 6 7");
}

TEST_CASE("several rotations between two looks lose nothing and give nothing twice") {
  const Log log;
  log.lines(1, 2);
  Follower follower = follow(log);
  log.lines(3, 4);
  log.rename("", ".1");
  log.lines(5, 6);
  log.rename(".1", ".2");
  log.rename("", ".1");
  log.compress(".2");
  log.lines(7, 8);
  CHECK(read_all(follower) == "3 4 5 6 7 8");
  log.lines(9, 9);
  CHECK(read_all(follower) == "9");
}

TEST_CASE("with a time the files before come first, compressed or not") {
  const Log log;
  log.lines(1, 2);
  log.rename("", ".1");
  log.compress(".1");
  log.rename(".1.gz", ".2.gz");
  log.lines(3, 4);
  log.rename("", ".1");
  log.lines(5, 6);
  std::ofstream(log.path(".bak")) << Line{.sequence = 99}.text();
  Follower all = follow(log, Time());
  CHECK(read_all(all) == "1 2 3 4 5 6");
  log.lines(7, 7);
  CHECK(read_all(all) == "7");
  fs::last_write_time(log.path(".2.gz"), fs::file_time_type::clock::now() - std::chrono::hours(2));
  Follower recent = follow(log, now() - std::chrono::hours(1));
  CHECK(read_all(recent) == "3 4 5 6 7");
}

TEST_CASE("a log that is cut to nothing, or removed, is followed from its new beginning") {
  const Log log;
  log.lines(1, 3);
  Follower follower = follow(log);
  fs::resize_file(log.path(), 0);
  log.lines(4, 4);
  CHECK(read_all(follower) == "4");
  fs::remove(log.path());
  CHECK(read_all(follower).empty());
  log.lines(5, 5);
  CHECK(read_all(follower) == "5");
}

TEST_CASE("a log that begins anew is followed, one that comes a second time isn't") {
  const Log log;
  log.lines(1, 3);
  Follower follower = follow(log);
  fs::copy_file(log.path(), log.path(".1"));
  fs::remove(log.path());
  log.lines(1, 4);
  CHECK(read_all(follower) == "4");
  fs::remove(log.path());
  log.append(Line{.sequence = 1, .time = "2026-08-21T10:15:30.123456Z"}.text());
  CHECK(read_all(follower) == "1");
}

TEST_CASE("foreign lines are given out too") {
  const Log log;
  Follower follower = follow(log);
  log.append("hello\n\n");
  log.lines(1, 1);
  CHECK(read_all(follower) == "? ? 1");
}

TEST_CASE("a log that isn't there is an error that names it") {
  const Log log;
  const auto follower = Follower::open(log.path(".none"));
  REQUIRE(!follower);
  CHECK(follower.error().message ==
        "can't read " + log.path(".none") + ": No such file or directory");
  CHECK(follower.error().code == api::ErrorCode::NotFound);
}
