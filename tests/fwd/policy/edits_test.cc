// PolicyManager's edits by command, fwd/policy/edits.cc.
#include "tests/fwd/full_disk.h"
#include "tests/fwd/no_threads.h"
#include "tests/fwd/policy/managed.h"

namespace {

using ctl::api::ErrorCode;
using fwd::test::FullDisk;
using fwd::test::Managed;
using fwd::test::NoThreads;

TEST_CASE("an added rule is in the file, the kernel and the workers, and every other byte stays") {
  Managed managed("# top\r\nallow in 80/tcp   comment \"web\"\r\n\r\n# end");
  const auto change = managed.manager->add_rule("allow in 443/tcp comment \"tls\"", std::nullopt);
  REQUIRE(change);
  CHECK(change->index == 1);
  CHECK_FALSE(change->already);
  CHECK(managed.text() ==
        "# top\r\nallow in 80/tcp   comment \"web\"\r\nallow in 443/tcp comment \"tls\"\r\n\r\n# "
        "end");
  CHECK(managed.generation() == 2);
  CHECK(managed.announced == 2);
  CHECK(managed.consistent());
  CHECK(managed.scratch.count() == 1);
}

TEST_CASE("a rule is put where it was wanted") {
  Managed managed("allow in 80/tcp\nallow in 443/tcp\n");
  REQUIRE(managed.manager->add_rule("deny in from 192.0.2.1", 1));
  CHECK(managed.text() == "deny in from 192.0.2.1\nallow in 80/tcp\nallow in 443/tcp\n");
  const auto beyond = managed.manager->add_rule("deny in from 192.0.2.2", 9);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code == ErrorCode::BadRequest);
  CHECK(managed.consistent());
}

TEST_CASE("a rule that is there already changes nothing") {
  Managed managed("allow in 22/tcp\nallow in log 80/tcp comment \"web\"\n");
  for (const char* again : {"allow 80/tcp", "allow log http", "allow 80/tcp comment web"}) {
    INFO(again);
    for (const auto position : {std::optional<std::size_t>{}, std::optional<std::size_t>{1}}) {
      const auto change = managed.manager->add_rule(again, position);
      REQUIRE(change);
      CHECK(change->already);
      CHECK_FALSE(change->updated);
      CHECK(change->index == 1);
    }
  }
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.generation() == 1);
}

TEST_CASE("a rule that is there already takes another comment or log over, where it stands") {
  Managed managed("# top\nallow in   80/tcp # web\nallow in 443/tcp\n");
  const auto change = managed.manager->add_rule("allow http comment \"web\"", 2);
  REQUIRE(change);
  CHECK(change->already);
  CHECK(change->updated);
  CHECK(change->index == 0);
  CHECK(change->state->active->policy.rules[0].comment == "web");
  CHECK(managed.text() == "# top\nallow in   80/tcp comment \"web\" # web\nallow in 443/tcp\n");
  CHECK(managed.generation() == 2);
  CHECK(managed.consistent());

  REQUIRE(managed.manager->add_rule("allow log none 80/tcp", std::nullopt));
  CHECK(managed.text() ==
        "# top\nallow in   80/tcp log none comment \"web\" # web\nallow in 443/tcp\n");
  REQUIRE(managed.manager->add_rule("allow 80/tcp comment ''", std::nullopt));
  CHECK(managed.text() == "# top\nallow in   80/tcp log none # web\nallow in 443/tcp\n");
  REQUIRE(managed.manager->add_rule("allow 80/tcp log sample 100", std::nullopt));
  CHECK(managed.text() == "# top\nallow in   80/tcp log sample 100 # web\nallow in 443/tcp\n");
  CHECK_FALSE(managed.manager->add_rule("allow 80/tcp log sample 100", std::nullopt)->updated);
  CHECK(managed.manager->add_rule("allow 80/tcp log sample 10", std::nullopt)->updated);
  REQUIRE(managed.manager->add_rule("allow 80/tcp log none", std::nullopt));
  CHECK(managed.consistent());
}

TEST_CASE("a rule that an include has already keeps its comment") {
  Managed managed("allow in 80/tcp\n");
  managed.scratch.write("policy.d/a.fw", "allow in 443/tcp\n");
  managed.scratch.write("policy.fw", "include \"policy.d/*.fw\"\n");
  REQUIRE(managed.manager->reload());
  CHECK(managed.manager->add_rule("allow 443/tcp", std::nullopt)->already);
  const auto change = managed.manager->add_rule("allow 443/tcp comment tls", std::nullopt);
  REQUIRE_FALSE(change);
  CHECK(change.error().code == ErrorCode::Refused);
  CHECK(change.error().message ==
        "policy.d/a.fw:1: the rule stands in an included file, which commands don't change");
}

TEST_CASE("an added rule's warnings are about that rule only") {
  Managed managed("allow in 80/tcp\nallow in proto tcp from 192.0.2.1 to any port 80\n");
  const auto silent = managed.manager->add_rule("allow in 443/tcp", std::nullopt);
  REQUIRE(silent);
  CHECK(silent->warnings.empty());
  const auto shadowed =
      managed.manager->add_rule("allow in proto tcp from 192.0.2.2 to any port 443", std::nullopt);
  REQUIRE(shadowed);
  CHECK(shadowed->warnings.size() == 1);
}

TEST_CASE("an edit that breaks an expectation is refused") {
  Managed managed("allow in 80/tcp\nexpect allow in tcp 192.0.2.1 to 192.0.2.2 port 80\n");
  const auto change = managed.manager->remove_rule("1");
  REQUIRE_FALSE(change);
  CHECK(change.error().code == ErrorCode::Refused);
  CHECK_FALSE(change.error().diagnostics.empty());
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.consistent());
}

TEST_CASE("a refused edit leaves nothing of the text that was being written meanwhile") {
  Managed managed("allow in 80/tcp\nexpect allow in tcp 192.0.2.1 to 192.0.2.2 port 80\n");
  const auto files = managed.scratch.count();
  REQUIRE_FALSE(managed.manager->add_rule("deny from 192.0.2.0/24", 1));
  CHECK(managed.scratch.count() == files);
}

TEST_CASE("an edit whose text can't be written stops before the kernel") {
  Managed managed("allow in 80/tcp\n");
  const auto files = managed.scratch.count();
  const FullDisk full;
  const auto change = managed.manager->add_rule("allow in 443/tcp", {});
  REQUIRE_FALSE(change);
  CHECK(change.error().code == ErrorCode::Internal);
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.engine.policy()->policy.rules.size() == 1);
  CHECK(managed.scratch.count() == files);
}

TEST_CASE("an edit is made where the system has no threads left") {
  Managed managed("allow in 80/tcp\n");
  const NoThreads none;
  REQUIRE(managed.manager->add_rule("deny in 443/tcp", std::nullopt));
  CHECK(managed.text() == "allow in 80/tcp\ndeny in 443/tcp\n");
  CHECK(managed.consistent());
}

TEST_CASE("a policy has so many limits, also by edits") {
  std::string text;
  for (unsigned port = 1; port < 1023; ++port)
    text += "limit in " + std::to_string(port) + "/tcp\n";
  Managed managed(text);
  REQUIRE(managed.manager->add_rule("limit in 2000/tcp", std::nullopt));
  const auto more = managed.manager->add_rule("limit in 2001/tcp", std::nullopt);
  REQUIRE_FALSE(more);
  CHECK(more.error().message.find("a policy has at most 1023 limit rules") != std::string::npos);
  REQUIRE(managed.manager->remove_rule("7"));
  CHECK(managed.manager->add_rule("limit in 2001/tcp", 3));
}

TEST_CASE("a refused edit names the lines of the file as it is") {
  Managed managed("allow in 80/tcp\nexpect allow in tcp 192.0.2.1 to 192.0.2.2 port 80\n");
  const auto change = managed.manager->add_rule("deny from 192.0.2.0/24", 1);
  REQUIRE_FALSE(change);
  CHECK(change.error().code == ErrorCode::Refused);
  CHECK(change.error().message ==
        "policy.fw:2: expected allow, but the policy says deny, by command line:1");
}

TEST_CASE("a rule is removed by number, id, the id's beginning, or text") {
  const std::string text = "allow in 80/tcp\nallow in 443/tcp\n";
  const std::string id = Managed(text).manager->state()->active->policy.rules[1].id.str();
  for (const std::string& selection :
       {std::string("2"), id, id.substr(0, 10), std::string("allow 443/tcp")}) {
    INFO(selection);
    Managed managed(text);
    const auto change = managed.manager->remove_rule(selection);
    REQUIRE(change);
    CHECK(change->state->active->policy.rules[change->index].id == id);
    CHECK(managed.text() == "allow in 80/tcp\n");
    CHECK(managed.consistent());
  }
}

TEST_CASE("what can't be removed says why") {
  Managed managed("allow in 80/tcp\n");
  const auto code = [&](const std::string& selection) {
    const auto change = managed.manager->remove_rule(selection);
    REQUIRE_FALSE(change);
    return change.error().code;
  };
  CHECK(code("2") == ErrorCode::NotFound);
  CHECK(code("ffff0000ffff0000") == ErrorCode::NotFound);
  CHECK(code("allow 81/tcp") == ErrorCode::NotFound);
  CHECK(code("allow 99999/tcp") == ErrorCode::Syntax);
  CHECK(managed.firewall.calls.empty());
}

TEST_CASE("set members come and go") {
  Managed managed("set peers = { 192.0.2.1, 192.0.2.2 } # db\nallow in from @peers\n");
  REQUIRE(managed.manager->change_set("peers", {{"192.0.2.3"}, {}}));
  CHECK(managed.manager->state()->active->policy.sets.at("peers").addresses->contains(
      rules::Address::v4(0xc0000203)));
  CHECK(managed.manager->change_set("peers", {{"192.0.2.3"}, {}})->already);
  REQUIRE(managed.manager->change_set("peers", {{}, {"192.0.2.1"}}));
  CHECK(managed.manager->change_set("peers", {{}, {"192.0.2.9"}})->already);
  CHECK(managed.manager->change_set("peer", {{"192.0.2.3"}, {}}).error().code ==
        ErrorCode::NotFound);
  CHECK(managed.manager->change_set("peers", {{"nonsense"}, {}}).error().code == ErrorCode::Syntax);
  CHECK(managed.consistent());
  CHECK(managed.text().find("# db\n") != std::string::npos);
}

TEST_CASE("a change by hand comes before what is wrong with an edit of the text before") {
  Managed managed(
      "allow in 80/tcp\nset s = { 192.0.2.1 }\n"
      "expect allow in tcp 192.0.2.1 to 192.0.2.2 port 80\n");
  managed.scratch.write("policy.fw", "allow in 80/tcp\n");
  const auto by_hand = [](const auto& change) {
    REQUIRE_FALSE(change);
    CHECK(change.error().message.find(" was changed by hand since") != std::string::npos);
  };
  by_hand(managed.manager->add_rule("deny in 80/tcp", 1));
  by_hand(managed.manager->add_rule("deny in 81/tcp", 9));
  by_hand(managed.manager->change_set("s", {{"nonsense"}, {}}));
  CHECK(managed.text() == "allow in 80/tcp\n");
}

TEST_CASE("a file that was changed by hand is never overwritten") {
  Managed managed("allow in 80/tcp\nset s = { 192.0.2.1 }\n");
  const std::string mine = "allow in 80/tcp\nset s = { 192.0.2.1 }\n# mine\n";
  managed.scratch.write("policy.fw", mine);
  const std::string path = managed.scratch.path("policy.fw");
  const std::string refusal =
      path +
      " was changed by hand since it was loaded: run `fwctl apply` on the policy or reload first";
  CHECK(managed.manager->add_rule("allow in 443/tcp", std::nullopt).error().message == refusal);
  CHECK(managed.manager->add_rule("allow in 80/tcp", std::nullopt).error().message == refusal);
  CHECK(managed.manager->add_rule("allow in 80/tcp log", std::nullopt).error().message == refusal);
  CHECK(managed.manager->remove_rule("1").error().message == refusal);
  CHECK(managed.manager->change_set("s", {{"192.0.2.1"}, {}}).error().message == refusal);
  CHECK(managed.manager->change_set("s", {{"192.0.2.2"}, {}}).error().message == refusal);
  CHECK(managed.manager->apply({{"other.fw", "allow in 22/tcp\n"}, {}}).error().message == refusal);
  CHECK(managed.text() == mine);
  CHECK(managed.firewall.calls.empty());

  REQUIRE(managed.manager->apply({{"policy.fw", mine}, {}}));
  CHECK(managed.consistent());
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
}

}  // namespace
