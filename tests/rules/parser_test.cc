#include "rules/parser.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "rules/printer.h"
#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

std::string dump(const SourceTree& tree) {
  const auto document = parse(tree);
  return document ? print(*document) : render_all(document.error());
}

std::string dump(std::string text) {
  const SourceTree tree = tree_of(std::move(text));
  return dump(tree);
}

std::string dump_rule(std::string_view text) {
  const auto parsed = parse_rule(text);
  return parsed ? print(parsed->rule) : render(parsed.error());
}

}  // namespace

TEST_CASE("every form of rule is parsed") {
  struct Case {
    const char* input;
    const char* expected;
  };
  const Case cases[] = {
      {"allow 80/tcp", "allow in proto tcp from any to any port 80"},
      {"allow ssh", "allow in from any to any port ssh"},
      {"allow in 80,443,8000:8010/tcp", "allow in proto tcp from any to any port 80,443,8000:8010"},
      {"deny from 10.0.0.0/8", "deny in from 10.0.0.0/8 to any"},
      {"allow in on eth0 to any port 80 proto tcp",
       "allow in on eth0 proto tcp from any to any port 80"},
      {"allow on eth0 22", "allow in on eth0 from any to any port 22"},
      {"reject out proto tcp to any port 25", "reject out proto tcp from any to any port 25"},
      {"deny in log none from @scanners", "deny in from @scanners to any log none"},
      {"allow log sample 100 80/tcp comment web",
       "allow in proto tcp from any to any port 80 log sample 100 comment \"web\""},
      {"limit ssh log sample 1000000", "limit in from any to any port ssh log sample 1000000"},
      {"limit ssh rate 10/1m log", "limit in from any to any port ssh rate 10/60s log"},
      {"allow from 10.0.0.1 port 1024:65535 to any port @web comment web",
       "allow in from 10.0.0.1 port 1024:65535 to any port @web comment \"web\""},
      {"allow proto icmp type echo-request",
       "allow in proto icmp type echo-request from any to any"},
      {"allow in 80 comment \"a \\\"b\\\" # c\"",
       "allow in from any to any port 80 comment \"a \\\"b\\\" # c\""},
      {"allow proto any from 10.0.0.1", "allow in from 10.0.0.1 to any"},
  };
  for (const Case& c : cases) CHECK(dump_rule(c.input) == c.expected);
}

TEST_CASE("a comment without quotes is one word, with whatever is in it") {
  CHECK(dump_rule("allow 80 comment web,db=1") ==
        "allow in from any to any port 80 comment \"web,db=1\"");
  CHECK(dump_rule("allow 80 comment it's") == "allow in from any to any port 80 comment \"it's\"");
  CHECK(dump_rule("allow 80 comment 'two words' log") ==
        "allow in from any to any port 80 log comment \"two words\"");
  CHECK(dump_rule("allow 80 comment two words") ==
        "command line:1:22: error: unknown word \"words\"\n"
        "allow 80 comment two words\n"
        "                     ^~~~~\n");
  CHECK(dump_rule("allow 80 comment") ==
        "command line:1:10: error: the comment's text is missing\n"
        "allow 80 comment\n"
        "         ^~~~~~~\n");
  CHECK(dump_rule("allow 80 comment 'x") ==
        "command line:1:18: error: the closing quote is missing on this line\n"
        "allow 80 comment 'x\n"
        "                 ^~\n");
}

TEST_CASE("a rule knows the text that it was written as, without the comment") {
  const auto resolved =
      resolve_tree(tree_of("\n  allow  80/tcp   comment \"web\" # here\ninclude \"x.fw\"\n",
                           {{"x.fw", "# x\n\tdeny 81 log"}}));
  REQUIRE(resolved);
  CHECK(resolved->policy.statement(0) == "allow  80/tcp");
  CHECK(resolved->policy.where(0).line == 2);
  CHECK(resolved->policy.where(0).column == 3);
  CHECK(resolved->policy.statement(1) == "deny 81 log");
  CHECK(resolved->policy.where(1).file == "x.fw");
  CHECK(resolved->policy.where(1).column == 2);
}

TEST_CASE("all statements are parsed") {
  CHECK(dump("set peers = { 10.0.0.11,10.0.0.12,\n  # the third\n  2001:db8:1::/64\n}\n"
             "set none = { }\nset web = {80\n443,\n}\n"
             "default deny in\ndefault allow outgoing\n"
             "builtin ping off\n"
             "\t# only a comment\r\n"
             "allow 80\n"
             "expect deny in tcp 198.51.100.7 to 10.0.0.11 port 3306\n"
             "expect allow icmp from 10.0.0.1 to 10.0.0.2 type echo-request on eth0") ==
        "set peers = { 10.0.0.11, 10.0.0.12, 2001:db8:1::/64 }\n"
        "set none = { }\nset web = { 80, 443 }\n"
        "default deny in\ndefault allow out\n"
        "builtin ping off\n"
        "allow in from any to any port 80\n"
        "expect deny in tcp 198.51.100.7 to 10.0.0.11 port 3306\n"
        "expect allow in icmp 10.0.0.1 to 10.0.0.2 type echo-request on eth0\n");
}

TEST_CASE("what ufw has and fwd hasn't is named") {
  CHECK(dump_rule("allow in \"Apache Full\"") ==
        "command line:1:10: error: fwd has no application profiles\n"
        "allow in \"Apache Full\"\n"
        "         ^~~~~~~~~~~~~\n"
        "hint: name the ports, as in \"allow 80,443/tcp\"\n");
  CHECK(dump_rule("allow from any to any app Samba") ==
        "command line:1:27: error: fwd has no application profiles\n"
        "allow from any to any app Samba\n"
        "                          ^~~~~\n"
        "hint: name the ports, as in \"allow 80,443/tcp\"\n");
  CHECK(dump("route allow in on eth0 out on eth1\n") ==
        "policy.fw:1:1: error: ufw's route rules aren't supported: fwd doesn't filter what is "
        "forwarded\n"
        "route allow in on eth0 out on eth1\n"
        "^~~~~\n");
  CHECK(dump_rule("allow in on eth0 out on eth1") ==
        "command line:1:18: error: a rule has one direction, and it stands right after the action\n"
        "allow in on eth0 out on eth1\n"
        "                 ^~~\n"
        "hint: ufw's route rules, which name two interfaces, aren't supported\n");
}

TEST_CASE("a direction that stands elsewhere is told its place") {
  CHECK(dump_rule("allow 80,443/tcp in") ==
        "command line:1:18: error: the direction stands right after the action\n"
        "allow 80,443/tcp in\n"
        "                 ^~\n"
        "hint: write \"allow in 80,443/tcp\"\n");
  CHECK(dump_rule("deny from 192.0.2.1 out") ==
        "command line:1:21: error: the direction stands right after the action\n"
        "deny from 192.0.2.1 out\n"
        "                    ^~~\n"
        "hint: write \"deny out ...\"\n");
}

TEST_CASE("a mistake in a rule is shown at its word") {
  struct Case {
    const char* input;
    const char* expected;
  };
  const Case cases[] = {
      {"alow 80",
       "command line:1:1: error: unknown action \"alow\"\nalow 80\n^~~~\nhint: did you mean "
       "\"allow\"?\n"},
      {"allow in form 10.0.0.1",
       "command line:1:10: error: unknown word \"form\"\nallow in form 10.0.0.1\n         ^~~~\n"
       "hint: did you mean \"from\"?\n"},
      {"allow 80 tcp",
       "command line:1:10: error: unknown word \"tcp\"\nallow 80 tcp\n         ^~~\n"
       "hint: write the protocol behind a slash, as in 80/tcp\n"},
      {"allow 80/tcp from 10.0.0.1",
       "command line:1:7: error: the short form doesn't go with from, to, proto or type\n"
       "allow 80/tcp from 10.0.0.1\n      ^~~~~~\nhint: write \"to any port 80\"\n"},
      {"allow in",
       "command line:1:1: error: the rule says nothing about the packets it is for\nallow "
       "in\n^~~~~~~~\n"
       "hint: for all packets write \"allow in from any\", or \"default allow in\"\n"},
      {"allow from any from any",
       "command line:1:16: error: \"from\" stands here twice\nallow from any from any\n            "
       "   ^~~~\n"},
      {"allow port 80",
       "command line:1:7: error: \"port\" stands after an address\nallow port 80\n      ^~~~\n"
       "hint: write \"to any port 80\"\n"},
      {"allow from 10.0.0.1, 10.0.0.2",
       "command line:1:20: error: several addresses need a set with a name\nallow from 10.0.0.1, "
       "10.0.0.2\n"
       "                   ^\nhint: set peers = { ... }, and then \"from @peers\"\n"},
      {"allow from { 10.0.0.1 }",
       "command line:1:12: error: several addresses need a set with a name\nallow from { 10.0.0.1 "
       "}\n"
       "           ^\nhint: set peers = { ... }, and then \"from @peers\"\n"},
      {"limit ssh rate fast",
       "command line:1:16: error: \"fast\" isn't a rate\nlimit ssh rate fast\n               ^~~~\n"
       "hint: connections and time, as in 6/30s or 100/1m\n"},
      {"allow 80 log sample 1",
       "command line:1:21: error: \"1\" isn't a sample\nallow 80 log sample 1\n                    "
       "^\n"
       "hint: of how many accepted connections one is recorded: 2 to 1000000, as in log sample "
       "100\n"},
      {"allow log sample 80/tcp",
       "command line:1:18: error: \"80/tcp\" isn't a sample\nallow log sample 80/tcp\n             "
       "    ^~~~~~\n"
       "hint: of how many accepted connections one is recorded: 2 to 1000000, as in log sample "
       "100\n"},
      {"allow 80 log sample",
       "command line:1:20: error: expected a number, as in log sample 100, found the end of the "
       "text\nallow 80 log sample\n                   ^\n"},
      {"allow 80,",
       "command line:1:10: error: expected a port, found the end of the text\nallow 80,\n         "
       "^\n"},
      {"allow from",
       "command line:1:11: error: expected an address, \"any\" or a set such as @peers, found the "
       "end of the text\nallow from\n          ^\n"},
      {"allow 80\ndeny 81",
       "command line:1:9: error: expected one rule only, found the end of the line\nallow 80\n     "
       "   ^\n"},
      {"",
       "command line:1:1: error: expected allow, deny, reject or limit, found the end of the "
       "text\n\n^\n"},
      {"allow /tcp",
       "command line:1:7: error: expected a port and a protocol, as in 80/tcp\nallow /tcp\n      "
       "^~~~\n"},
  };
  for (const Case& c : cases) CHECK(dump_rule(c.input) == c.expected);
}

TEST_CASE("several mistakes are reported at once, each on its line") {
  CHECK(dump("alow 80\nset x = { 1 2 }\nallow 22\ndefault limit in\nset y = { 10.0.0.1,, "
             "}\ninclude x.fw\n") ==
        "policy.fw:1:1: error: unknown statement \"alow\"\nalow 80\n^~~~\nhint: did you mean "
        "\"allow\"?\n"
        "policy.fw:2:13: error: expected \",\" or \"}\", found \"2\"\nset x = { 1 2 }\n            "
        "^\n"
        "policy.fw:4:9: error: \"limit\" can't be a default\ndefault limit in\n        ^~~~~\n"
        "hint: allow, deny or reject\n"
        "policy.fw:5:20: error: expected a member, found \",\"\nset y = { 10.0.0.1,, }\n           "
        "        ^\n"
        "policy.fw:6:9: error: expected a file name in quotes, found \"x.fw\"\ninclude x.fw\n      "
        "  ^~~~\n");
}

TEST_CASE(
    "a set that isn't closed is reported at its brace, and the next statement is still read") {
  CHECK(dump("set x = {\n  10.0.0.1\nallow 80\nalow 81\n") ==
        "policy.fw:1:9: error: the set \"x\" isn't closed: \"}\" is missing\nset x = {\n        ^\n"
        "policy.fw:4:1: error: unknown statement \"alow\"\nalow 81\n^~~~\nhint: did you mean "
        "\"allow\"?\n");
  CHECK(dump("set x = { 10.0.0.1") ==
        "policy.fw:1:9: error: the set \"x\" isn't closed: \"}\" is missing\nset x = { 10.0.0.1\n  "
        "      ^\n");
}

TEST_CASE("no more than 20 errors are collected") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "nonsense\n";
  const SourceTree tree = tree_of(text);
  const auto document = parse(tree);
  REQUIRE_FALSE(document);
  CHECK(document.error().size() == 20);
}

TEST_CASE("defaults, built-in rules and expectations say what is wrong with them") {
  CHECK(dump("default deny routed\n") ==
        "policy.fw:1:14: error: \"routed\" isn't a direction\ndefault deny routed\n             "
        "^~~~~~\n"
        "hint: in or out; fwd doesn't filter what is forwarded\n");
  CHECK(dump("builtin ping no\n") ==
        "policy.fw:1:14: error: expected on or off, found \"no\"\nbuiltin ping no\n             "
        "^~\n");
  CHECK(dump("expect allow in tcp 10.0.0.1 10.0.0.2 port 1\n") ==
        "policy.fw:1:30: error: expected \"to\", found \"10.0.0.2\"\n"
        "expect allow in tcp 10.0.0.1 10.0.0.2 port 1\n                             ^~~~~~~~\n");
}

TEST_CASE("included files stand where their include is, sorted by name") {
  const SourceTree tree =
      tree_of("allow 1\ninclude \"policy.d/*.fw\"\nallow 4\n", {{"policy.d/b.fw", "allow 3"},
                                                                {"policy.d/a.fw", "allow 2\n"},
                                                                {"policy.d/.hidden.fw", "allow 98"},
                                                                {"policy.d/x/y.fw", "allow 99"}});
  CHECK(dump(tree) ==
        "allow in from any to any port 1\n# include \"policy.d/*.fw\"\nallow in from any to any "
        "port 2\n"
        "allow in from any to any port 3\nallow in from any to any port 4\n");
  CHECK(dump("include \"none.d/*.fw\"\n") == "# include \"none.d/*.fw\"\n");
}

TEST_CASE("an include that is wrong is refused") {
  CHECK(dump(tree_of("include \"web.fw\"\n", {{"wep.fw", ""}})) ==
        "policy.fw:1:1: error: there is no file \"web.fw\"\ninclude \"web.fw\"\n^~~~~~~~~~~~~~~~\n"
        "hint: did you mean \"wep.fw\"?\n");
  CHECK(dump(tree_of("include \"a.fw\"\n", {{"a.fw", "include \"b.fw\"\n"}})) ==
        "a.fw:1:9: error: an included file can't include others\ninclude \"b.fw\"\n        ^~~~~~\n"
        "hint: include it from policy.fw\n");
  CHECK(dump(tree_of("include \"a.fw\"\ninclude \"*.fw\"\n", {{"a.fw", ""}})) ==
        "policy.fw:2:1: error: \"a.fw\" is included twice\ninclude \"*.fw\"\n^~~~~~~~~~~~~~\n"
        "policy.fw:1:1: note: see also\ninclude \"a.fw\"\n^~~~~~~~~~~~~~\n");
  const std::pair<const char*, const char*> cases[] = {
      {"/etc/passwd.fw", "an include is relative to the folder of the policy"},
      {"../a.fw", "an include can't leave its folder by \"..\""},
      {"a/../b.fw", "an include can't leave its folder by \"..\""},
      {"a.conf", "an include's name ends in .fw"},
      {"", "the include names no file"},
      {"*/*/*/*/*.fw", "an include has at most 4 wildcards"},
  };
  for (const auto& [pattern, message] : cases) CHECK(check_include_pattern(pattern) == message);
  CHECK(check_include_pattern("a..b.fw").empty());
}

TEST_CASE("gathering asks the reader for each include and reports its refusals at their line") {
  const Source main{
      "policy.fw", "set x = { }\ninclude \"a.fw\" # first\n\ninclude 'b*.fw'\ninclude \"/c.fw\"\n"};
  std::vector<std::string> asked;
  const auto tree = gather(main, [&](const std::string& pattern) {
    asked.push_back(pattern);
    return std::vector<Source>{{pattern == "a.fw" ? "a.fw" : "b1.fw", "allow 80"}};
  });
  REQUIRE(tree);
  CHECK(asked == std::vector<std::string>{"a.fw", "b*.fw"});
  CHECK(tree->includes.size() == 2);
  const auto refused = gather(
      main, [](const std::string& pattern) -> std::expected<std::vector<Source>, std::string> {
        return std::unexpected("can't read " + pattern);
      });
  REQUIRE_FALSE(refused);
  CHECK(render_all(refused.error()) ==
        "policy.fw:2:9: error: can't read a.fw\ninclude \"a.fw\" # first\n        ^~~~~~\n"
        "policy.fw:4:9: error: can't read b*.fw\ninclude 'b*.fw'\n        ^~~~~~~\n");
}

TEST_CASE("hostile texts are refused or parsed, and end") {
  CHECK(dump(tree_of("include \"a.fw\"\n", {{"a.fw", std::string("a\0b", 3)}})) ==
        "a.fw:1:2: error: character U+0000 can't be seen and isn't allowed\na\\x00b\n ^~~~\n");
  const SourceTree large = tree_of("", {{"a.fw", std::string(16 << 20, '\n')}, {"b.fw", "\n"}});
  CHECK(dump(large) == "policy.fw: error: the policy has more than 16 MB in all\n");
  CHECK_FALSE(parse_rule(std::string(60'000, '{')));
  CHECK_FALSE(parse_rule(std::string(60'000, ',')));
  std::string braces;
  for (int i = 0; i < 10'000; ++i) braces += "set x = {\n";
  CHECK_FALSE(dump(braces).empty());
  // Every prefix of a policy that has everything.
  const std::string all =
      "set a = { 10.0.0.1,\r\n 80 }\ndefault deny in\nbuiltin ping off\ninclude \"x*.fw\"\n"
      "limit in on eth0 proto tcp from @a port 1:2 to any port 3,ssh rate 1/2m log sample 9 "
      "comment "
      "\"a\\\"b\"\n"
      "expect deny in tcp 10.0.0.1 port 1 to 10.0.0.2 port 2 on eth0\n";
  for (std::size_t length = 0; length <= all.size(); ++length) dump(all.substr(0, length));
}

TEST_CASE("texts with random damage are parsed or refused, and never more") {
  const std::string good =
      "set a = { 10.0.0.1,\n 2001:db8::/32 }\nset p = { 80, 90-95 }\ndefault deny in\nbuiltin ping "
      "off\n"
      "limit in on eth0 proto tcp from @a port 1:2 to any port 3,ssh rate 1/2m log sample 9 "
      "comment "
      "\"a\\\"b\"\n"
      "allow proto icmp type 3/4\nallow 80,443/tcp # web\ninclude \"x*.fw\"\n"
      "expect deny in tcp 10.0.0.1 port 1 to 10.0.0.2 port 2 on eth0\n";
  std::minstd_rand random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (int change = 0; change < 4; ++change) {
      const std::size_t at = random() % text.size();
      const std::size_t from = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 9);
          break;
        case 2:
          text.insert(at, text, from, random() % 20);
          break;
      }
    }
    const SourceTree tree = tree_of(text, {{"x1.fw", text}});
    const auto resolved = resolve_tree(tree);
    if (!resolved) CHECK_FALSE(render_all(resolved.error()).empty());
  }
}
