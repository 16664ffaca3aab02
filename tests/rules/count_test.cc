#include "rules/count.h"

#include <catch2/catch.hpp>

TEST_CASE("one thing is told in the singular, none and several in the plural") {
  CHECK(rules::count(0, "rule") == "0 rules");
  CHECK(rules::count(1, "rule") == "1 rule");
  CHECK(rules::count(2, "rule") == "2 rules");
  CHECK(rules::count(1, "entry", "entries") == "1 entry");
  CHECK(rules::count(2, "entry", "entries") == "2 entries");
}
