#include "fwd/policy/last_good.h"

#include <catch2/catch.hpp>

#include "fwd/policy/store.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::policy::LastGood;
using fwd::test::Scratch;

const rules::SourceTree kSources{{"policy.fw", "include \"d/*.fw\"\n# \"π\"\t\\\r\n"},
                                 {{"d/a.fw", "allow in 80/tcp\n"}, {"d/b.fw", ""}}};

TEST_CASE("what was kept is read back byte for byte") {
  const Scratch scratch;
  const LastGood last_good(scratch.path());
  REQUIRE(last_good.keep(kSources));
  const auto read = last_good.read();
  REQUIRE(read);
  REQUIRE(*read);
  CHECK(fwd::policy::same(**read, kSources));
  CHECK(scratch.count() == 1);
}

TEST_CASE("keeping the same again writes nothing, something else takes its place") {
  const Scratch scratch;
  const LastGood last_good(scratch.path());
  REQUIRE(last_good.keep(kSources));
  const auto before = std::filesystem::last_write_time(last_good.path());
  REQUIRE(last_good.keep(kSources));
  CHECK(std::filesystem::last_write_time(last_good.path()) == before);
  REQUIRE(last_good.keep({{"policy.fw", "allow in 22/tcp\n"}, {}}));
  CHECK(last_good.read()->value().main.text == "allow in 22/tcp\n");
  CHECK(scratch.count() == 1);
}

TEST_CASE("where nothing was kept there is nothing, and what isn't ours is an error") {
  const Scratch scratch;
  const LastGood last_good(scratch.path());
  REQUIRE(last_good.read());
  CHECK_FALSE(last_good.read()->has_value());
  scratch.write("last_good.json", "{\"main\":");
  CHECK(last_good.read().error().message() == last_good.path() + ": is not JSON");
}

TEST_CASE("a folder that is missing is an error") {
  const Scratch scratch;
  CHECK_FALSE(LastGood(scratch.path("nowhere")).keep(kSources));
}

}  // namespace
