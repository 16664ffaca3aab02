#include "rules/lockout.h"

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

std::string warnings_of(std::string text) {
  const SourceTree tree = tree_of(std::move(text));
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  return render_all(resolved->warnings);
}

}  // namespace

TEST_CASE("a policy that lets nobody in is warned of") {
  const std::string warning =
      "warning: nothing is let in: no rule allows incoming connections, ssh among them\n";
  CHECK(warnings_of("") == warning);
  CHECK(warnings_of("default deny in\n") == warning);
  CHECK(warnings_of("default reject in\nallow out 80/tcp\nlimit out ssh\n") == warning);
  CHECK(warnings_of("deny in from 192.0.2.1\nreject in 80/tcp\n") == warning);
}

TEST_CASE("a policy that lets somebody in isn't warned of") {
  CHECK(warnings_of("default allow in\n").empty());
  CHECK(warnings_of("allow in ssh\n").empty());
  CHECK(warnings_of("limit in ssh\n").empty());
  CHECK(warnings_of("deny in from 192.0.2.1\nallow from 192.0.2.0/24\n").empty());
}
