#include "rules/edit_places.h"

#include <catch2/catch.hpp>

#include "rules/edit.h"
#include "rules/expect.h"
#include "rules/rule_set.h"
#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

// What is said of the first false `expect` after the edit.
std::string refusal(const SourceTree& tree, const Edited& edited) {
  REQUIRE(edited);
  auto broken = check_expects(edited->policy, edited->outline.expects, compile(edited->policy));
  place_before_edit(broken, tree.main, edited->policy.sources->main.text);
  return render_all(broken);
}

const char* const kText =
    "# head\nallow 80/tcp\n\nexpect allow in tcp 192.0.2.1 to 10.0.0.1 port 80\ndeny 443/tcp\n";

}  // namespace

TEST_CASE("an inserted line is the command's, and those below it have the file's numbers") {
  const SourceTree tree = tree_of(kText);
  const Loaded loaded(tree);
  CHECK(refusal(tree, insert_rule(loaded.base(), 1, "  deny from 192.0.2.0/24")) ==
        "policy.fw:4:1: error: expected allow, but the policy says deny, by command line:1\n"
        "expect allow in tcp 192.0.2.1 to 10.0.0.1 port 80\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "command line:1:1: note: see also\n"
        "deny from 192.0.2.0/24\n"
        "^~~~~~~~~~~~~~~~~~~~~~\n");
}

TEST_CASE("lines below a removed one have the file's numbers") {
  const SourceTree tree = tree_of(
      "allow 80/tcp\nexpect allow in tcp 192.0.2.1 to 10.0.0.1 port 80\ndeny from 192.0.2.0/24\n");
  const Loaded loaded(tree);
  CHECK(refusal(tree, remove_rule(loaded.base(), 0)) ==
        "policy.fw:2:1: error: expected allow, but the policy says deny, by policy.fw:3\n"
        "expect allow in tcp 192.0.2.1 to 10.0.0.1 port 80\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "policy.fw:3:1: note: see also\n"
        "deny from 192.0.2.0/24\n"
        "^~~~~~~~~~~~~~~~~~~~~~\n");
}

TEST_CASE("a line that was changed has its own number, and other files keep theirs") {
  const Source before{"policy.fw", "a\nb\nc\n"};
  std::vector<Diagnostic> diagnostics;
  for (const auto& [file, line] :
       {std::pair("policy.fw", 2U), {"policy.fw", 3U}, {"x.fw", 3U}, {"", 0U}}) {
    Diagnostic& diagnostic = diagnostics.emplace_back();
    diagnostic.where.file = file;
    diagnostic.where.line = line;
  }
  place_before_edit(diagnostics, before, "a\nB\nc\n");
  CHECK(diagnostics[0].where.line == 2);
  CHECK(diagnostics[1].where.line == 3);
  CHECK(diagnostics[2].where.line == 3);
  CHECK(diagnostics[3].where.line == 0);
}
