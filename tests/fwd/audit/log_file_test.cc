#include "fwd/audit/log_file.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::audit::LogFile;
using fwd::audit::test::FileSizeLimit;
using fwd::test::Scratch;

const std::string kLine = "{\"event\":{\"sequence\":41}}\n";

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

fwd::audit::LogTail tail_of(const std::string& path) {
  auto file = LogFile::open(path);
  REQUIRE(file);
  auto tail = file->recover();
  REQUIRE(tail);
  return *tail;
}

std::string error_of(const std::string& path) {
  auto file = LogFile::open(path);
  if (!file) return file.error().message();
  const auto tail = file->recover();
  return tail ? "" : tail.error().message();
}

}  // namespace

TEST_CASE("the audit file and its folders are made for owner and group alone") {
  const Scratch scratch;
  const mode_t before = umask(0077);
  REQUIRE(LogFile::open(scratch.path("log/fwd/audit.json")));
  umask(before);
  CHECK(mode_of(scratch.path("log/fwd/audit.json")) == 0640);
  CHECK(mode_of(scratch.path("log/fwd")) == 0700);  // the caller's umask may be stricter than 0750
}

TEST_CASE("a file that is there keeps its mode and its lines") {
  const Scratch scratch;
  const auto path = scratch.write("audit.json", kLine);
  chmod(path.c_str(), 0600);
  auto file = LogFile::open(path);
  REQUIRE(file);
  CHECK(file->append("{}\n").kept == 3);
  CHECK(mode_of(path) == 0600);
  CHECK(scratch.read("audit.json") == kLine + "{}\n");
}

TEST_CASE("what can't be an audit file is an error that names it") {
  const Scratch scratch;
  const auto text = scratch.write("notes.txt", "to do: buy milk");
  CHECK(error_of(text) == text + " is not an audit file: its last line is no record");
  CHECK(scratch.read("notes.txt") == "to do: buy milk");

  const auto pipe = scratch.path("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of(pipe) == pipe + " is not a regular file");

  CHECK(error_of(scratch.path()) == "open the audit file " + scratch.path() + ": Is a directory");
  CHECK(error_of(text + "/audit.json") ==
        "open the audit file " + text + "/audit.json: Not a directory");
}

TEST_CASE("the sequence goes on from the last whole line") {
  const Scratch scratch;
  CHECK(tail_of(scratch.path("new.json")).end.sequence == 0);
  CHECK(tail_of(scratch.write("one.json", kLine)).end.sequence == 41);
  CHECK(tail_of(scratch.write("odd.json", kLine + "not ours\n")).end.sequence == 41);
  const std::string forged = R"({"message":"\"sequence\":99","event":{"sequence":42}})"
                             "\n";
  CHECK(tail_of(scratch.write("forged.json", forged)).end.sequence == 42);
  std::string many;
  for (int line = 0; line < 10'000; ++line) many += kLine;
  CHECK(tail_of(scratch.write("long.json", many)).end.sequence == 41);
}

TEST_CASE("a torn last line is cut off wherever it was torn") {
  const Scratch scratch;
  const std::string torn = R"({"event":{"sequence":42}})";
  for (std::size_t length = 1; length <= torn.size(); ++length) {
    const auto path = scratch.write("audit.json", kLine + torn.substr(0, length));
    const auto tail = tail_of(path);
    CHECK(tail.torn_bytes == length);
    CHECK(tail.end.sequence == 41);
    CHECK(scratch.read("audit.json") == kLine);
  }
  CHECK(tail_of(scratch.write("only.json", "{\"event")).torn_bytes == 7);
  CHECK(scratch.read("only.json").empty());
}

TEST_CASE("a full disk takes whole lines and leaves no half one") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto file = LogFile::open(path);
  REQUIRE(file);
  const std::string lines = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";  // of 8 bytes each
  for (rlim_t room = 0; room < 24; ++room) {
    REQUIRE(truncate(path.c_str(), 0) == 0);
    const FileSizeLimit limit(room);
    const auto result = file->append(lines);
    CHECK(result.error == EFBIG);
    CHECK(result.kept == room / 8 * 8);
    CHECK(scratch.read("audit.json") == lines.substr(0, room / 8 * 8));
  }
  CHECK(file->append(lines).error == 0);
  CHECK(scratch.read("audit.json") == "{\"a\":1}\n{\"b\":2}\n" + lines);
}

TEST_CASE("nothing is written to a file that was deleted") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto file = LogFile::open(path);
  REQUIRE(file);
  CHECK(fwd::audit::identity_of(path) == file->identity());
  std::filesystem::remove(path);
  CHECK(file->append(kLine).error == ENOENT);
  CHECK(file->append(kLine).kept == 0);
  CHECK(fwd::audit::identity_of(path) == fwd::audit::FileIdentity{});
}

TEST_CASE("rotated files have numbers, the newest the lowest, and only so many are kept") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  for (const char* text : {"a", "b", "c", "d"}) {
    scratch.write("audit.json", text);
    REQUIRE(fwd::audit::make_way(path, 3));
  }
  CHECK(scratch.count() == 3);
  CHECK(scratch.read("audit.json.1") == "d");
  CHECK(scratch.read("audit.json.3") == "b");
  const auto nothing = fwd::audit::make_way(path, 3);
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == ENOENT);
}

TEST_CASE("somebody who empties the file takes no line of ours that comes later") {
  const Scratch scratch;
  const auto path = scratch.path("audit.json");
  auto file = LogFile::open(path);
  REQUIRE(file);
  file->append("{\"a\":1}\n");
  REQUIRE(truncate(path.c_str(), 0) == 0);
  file->append("{\"b\":2}\n");
  CHECK(scratch.read("audit.json") == "{\"b\":2}\n");
}
