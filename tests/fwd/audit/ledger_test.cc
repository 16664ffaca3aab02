#include "fwd/audit/ledger.h"

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::audit::Ledger;
using fwd::test::Scratch;

}  // namespace

TEST_CASE("what a ledger counts is there for the next one") {
  const Scratch scratch;
  {
    auto ledger = Ledger::open(scratch.path());
    REQUIRE(ledger);
    CHECK_FALSE(ledger->continues());
    ledger->begin("/var/log/fwd/audit.json", {5, 4, 0, 1}, 2, {});
    ledger->lane(0) = 10;
    ledger->lane(65) = 3;
    ledger->note({.written = 7, .sequence = 12});
  }
  const auto ledger = Ledger::open(scratch.path());
  REQUIRE(ledger);
  CHECK(ledger->continues());
  CHECK(ledger->life().before.decided == 5);
  CHECK(ledger->life().owed == 2);
  CHECK(ledger->life().lanes[0].decided == 10);
  CHECK(ledger->life().lanes[65].decided == 3);
  CHECK(ledger->progress().written == 7);
  CHECK(ledger->progress().sequence == 12);
}

TEST_CASE("a life begins with empty lanes") {
  Ledger ledger;
  ledger.begin("audit.json", {}, 0, {});
  ledger.lane(1) = 10;
  ledger.begin("audit.json", {10, 10, 0, 0}, 0, {.sequence = 10});
  CHECK(ledger.life().lanes[1].decided == 0);
  CHECK(ledger.progress().sequence == 10);
}

TEST_CASE("a damaged ledger is begun anew, and what is none is an error") {
  const Scratch scratch;
  scratch.write("audit.ledger", "not a ledger");
  const auto ledger = Ledger::open(scratch.path());
  REQUIRE(ledger);
  CHECK_FALSE(ledger->continues());
  CHECK_FALSE(Ledger::open(scratch.path("nowhere")));
  std::filesystem::remove(scratch.path("audit.ledger"));
  std::filesystem::create_directory(scratch.path("audit.ledger"));
  CHECK_FALSE(Ledger::open(scratch.path()));
}

TEST_CASE("without room for a ledger there is an error and no signal later") {
  const Scratch scratch;
  const fwd::audit::test::FileSizeLimit limit(100);
  const auto ledger = Ledger::open(scratch.path());
  REQUIRE_FALSE(ledger);
  CHECK(ledger.error().code == EFBIG);
}
