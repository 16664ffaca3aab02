#include "rules/edit.h"

#include <algorithm>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "rules/printer.h"
#include "rules/select.h"
#include "rules/set_edit.h"
#include "tests/rules/texts.h"
#include "tests/support/random.h"
#include "tests/support/random_policy.h"
#include "tests/support/rule_lists.h"

using namespace rules;
using namespace rules::tests;

namespace {

auto place(const Location& where) {
  return std::tie(where.file, where.line, where.column, where.length, where.source_line);
}

bool same_side(const AddressMatch& one, const AddressMatch& other) {
  if (one.any() || other.any()) return one.any() && other.any();
  return one.name == other.name && *one.members == *other.members;
}

// Nothing where it's refused or needless.
Edited edit_set(const EditBase& base, ::tests::Random& random) {
  const auto address = [&] { return fmt::format("10.0.0.{}", 1 + random.below(6)); };
  const std::vector<std::string> members = {
      random.one_in(3) ? fmt::format("{}-10.0.0.8", address()) : address(), address()};
  auto set = random.one_in(2) ? add_members(base.policy, "a", members, base.services)
                              : remove_members(base.policy, "a", members, base.services);
  if (!set) return std::unexpected(set.error());
  if (!*set) return std::unexpected(Diagnostic{});
  return change_set(base, "a", **std::move(set));
}

// What the edit says of the policy must be what its text says.
void check_meaning(const SourceTree& before, const PolicyEdit& edit) {
  const std::string& text = edit.policy.sources->main.text;
  INFO(text);
  const Loaded anew({{before.main.name, text}, before.includes});
  const Policy& policy = anew.resolved.policy;
  CHECK(print(edit.policy) == print(policy));
  CHECK(edit.policy.hash == policy.hash);
  REQUIRE(edit.policy.rules.size() == policy.rules.size());
  CHECK(std::ranges::equal(edit.policy.rules.keys(), policy.rules.keys()));
  CHECK(edit.policy.rules.limits() == policy.rules.limits());
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    CHECK(edit.policy.rules[i].id == policy.rules[i].id);
    CHECK((place(edit.policy.where(i)) == place(policy.where(i))));
    CHECK(edit.policy.statement(i) == policy.statement(i));
    CHECK(same_side(edit.policy.rules[i].match.source, policy.rules[i].match.source));
    CHECK(same_side(edit.policy.rules[i].match.destination, policy.rules[i].match.destination));
  }
  for (const auto& [name, set] : policy.sets)
    CHECK((place(edit.policy.sets.at(name).where) == place(set.where)));
  CHECK(edit.outline.includes == anew.resolved.outline.includes);
  const std::vector<Expect>& expects = anew.resolved.outline.expects;
  REQUIRE(edit.outline.expects.size() == expects.size());
  for (std::size_t i = 0; i < expects.size(); ++i)
    CHECK((place(edit.outline.expects[i].where) == place(expects[i].where)));
}

std::string text_of(const SourceTree& before, const Edited& edited) {
  if (!edited) return render(edited.error());
  check_meaning(before, *edited);
  return edited->policy.sources->main.text;
}

std::string append(const SourceTree& tree, std::string_view rule) {
  return text_of(tree, append_rule(Loaded(tree).base(), rule));
}

std::string append(std::string text, std::string_view rule) {
  return append(tree_of(std::move(text)), rule);
}

std::string insert(const SourceTree& tree, std::size_t position, std::string_view rule) {
  return text_of(tree, insert_rule(Loaded(tree).base(), position, rule));
}

std::string insert(std::string text, std::size_t position, std::string_view rule) {
  return insert(tree_of(std::move(text)), position, rule);
}

std::string remove(const SourceTree& tree, std::size_t number) {
  return text_of(tree, remove_rule(Loaded(tree).base(), number - 1));
}

std::string remark(const SourceTree& tree, std::size_t number, const Remarks& remarks) {
  return text_of(tree, change_remarks(Loaded(tree).base(), number - 1, remarks));
}

std::string remark(std::string text, std::size_t number, const Remarks& remarks) {
  return remark(tree_of(std::move(text)), number, remarks);
}

std::string text_of(const SourceTree& tree, const EditedSet& edited) {
  if (!edited) return render(edited.error());
  if (!*edited) return tree.main.text;
  if ((*edited)->addresses != nullptr)
    check_meaning(tree, change_set(Loaded(tree).base(), "a", **edited));
  return (*edited)->text;
}

std::string add(const SourceTree& tree, const std::string& member) {
  const Loaded loaded(tree);
  return text_of(tree, add_members(loaded.resolved.policy, "a", {&member, 1}, services()));
}

std::string add(std::string text, const std::string& member) {
  return add(tree_of(std::move(text)), member);
}

std::string drop(const SourceTree& tree, const std::string& member) {
  const Loaded loaded(tree);
  return text_of(tree, remove_members(loaded.resolved.policy, "a", {&member, 1}, services()));
}

std::string drop(std::string text, const std::string& member) {
  return drop(tree_of(std::move(text)), member);
}

std::string select(const Policy& policy, std::string_view selector) {
  const auto selected = select_rule(policy, selector, services());
  return selected ? std::to_string(*selected + 1) : render(selected.error());
}

}  // namespace

TEST_CASE("a rule is appended behind the last rule, and nothing else changes") {
  CHECK(append("", "allow 80") == "allow 80\n");
  CHECK(append("allow 22\n", " allow 80 ") == "allow 22\nallow 80\n");
  CHECK(append("allow 22", "allow 80") == "allow 22\nallow 80");
  CHECK(append("allow 22\r\n# end\r\n", "allow 80") == "allow 22\r\nallow 80\r\n# end\r\n");
  CHECK(append("allow 22 # ssh\n\nexpect deny in tcp 10.0.0.1 to 10.0.0.2 port 1\n", "allow 80") ==
        "allow 22 # ssh\nallow 80\n\nexpect deny in tcp 10.0.0.1 to 10.0.0.2 port 1\n");
  CHECK(append("default deny in\n", "allow 80") == "default deny in\nallow 80\n");
  const SourceTree tree = tree_of("allow 1\ninclude \"x.fw\"\n# end\n", {{"x.fw", "allow 2\n"}});
  CHECK(append(tree, "allow 3") == "allow 1\ninclude \"x.fw\"\nallow 3\n# end\n");
}

TEST_CASE("only one whole rule becomes a line of the file") {
  CHECK(append("", "allow 80\ndefault allow in") ==
        "command line:1:9: error: expected one rule only, found the end of the line\nallow 80\n    "
        "    ^\n");
  CHECK(append("", "default allow in") ==
        "command line:1:1: error: unknown action \"default\"\ndefault allow in\n^~~~~~~\n");
}

TEST_CASE("a rule is inserted so that it has the number asked for") {
  const std::string text = "# head\nset x = { }\nallow 1\n\n# about 2\nallow 2\nallow 3";
  CHECK(insert(text, 1, "deny 9") ==
        "# head\nset x = { }\ndeny 9\nallow 1\n\n# about 2\nallow 2\nallow 3");
  CHECK(insert(text, 2, "deny 9") ==
        "# head\nset x = { }\nallow 1\ndeny 9\n\n# about 2\nallow 2\nallow 3");
  CHECK(insert(text, 3, "deny 9") ==
        "# head\nset x = { }\nallow 1\n\n# about 2\nallow 2\ndeny 9\nallow 3");
  CHECK(insert(text, 4, "deny 9") == text + "\ndeny 9");
  CHECK(insert(text, 5, "deny 9") == "error: there is no position 5\nhint: positions are 1 to 4\n");
  CHECK(insert(text, 0, "deny 9") == "error: there is no position 0\nhint: positions are 1 to 4\n");
  CHECK(insert("allow 1\r\nallow 2\r\n", 2, "deny 9") == "allow 1\r\ndeny 9\r\nallow 2\r\n");
}

TEST_CASE("a rule isn't inserted into an included file, but before and behind it") {
  const SourceTree tree = tree_of("include \"x.fw\"\nallow 3\n", {{"x.fw", "allow 1\nallow 2\n"}});
  CHECK(insert(tree, 1, "deny 9") == "deny 9\ninclude \"x.fw\"\nallow 3\n");
  CHECK(insert(tree, 3, "deny 9") == "include \"x.fw\"\ndeny 9\nallow 3\n");
  CHECK(insert(tree, 2, "deny 9") ==
        "x.fw:2:1: error: rule 2 would stand in an included file\nallow 2\n^~~~~~~\n"
        "hint: edit x.fw and apply the policy\n");
  const SourceTree two =
      tree_of("include \"x.fw\"\ninclude \"y.fw\"\n", {{"x.fw", "allow 1"}, {"y.fw", "allow 2"}});
  CHECK(insert(two, 2, "deny 9") == "include \"x.fw\"\ndeny 9\ninclude \"y.fw\"\n");
}

TEST_CASE("every insertion gives the rule its number") {
  const SourceTree tree = tree_of(
      "# a\nallow 1\ninclude \"x.fw\"\n\nallow 4\n# b\nset q = {\n}\nallow 5\ninclude \"*.d/*.fw\"",
      {{"x.fw", "allow 2\nallow 3\n"}});
  for (std::size_t position = 1; position <= 6; ++position) {
    const Loaded loaded(tree);
    const auto edited = insert_rule(loaded.base(), position, "deny 9");
    if (position == 3) {
      CHECK_FALSE(edited);
      continue;
    }
    REQUIRE(edited);
    check_meaning(tree, *edited);
    CHECK(edited->index == position - 1);
    CHECK(canonical_text(edited->policy.rules.at(position - 1)) ==
          "deny in proto tcp,udp from any to any port 9");
  }
}

TEST_CASE("a rule is removed with its line, and nothing else changes") {
  const SourceTree tree = tree_of("# a\r\n  allow 1 comment \"x\" # y\r\n\r\nallow 2", {});
  CHECK(remove(tree, 1) == "# a\r\n\r\nallow 2");
  CHECK(remove(tree, 2) == "# a\r\n  allow 1 comment \"x\" # y\r\n\r\n");
  const SourceTree with_include = tree_of("include \"x.fw\"\nallow 2\n", {{"x.fw", "allow 1\n"}});
  CHECK(remove(with_include, 2) == "include \"x.fw\"\n");
  CHECK(remove(with_include, 1) ==
        "x.fw:1:1: error: the rule stands in an included file, which commands don't change\nallow "
        "1\n^~~~~~~\n"
        "hint: edit x.fw and apply the policy\n");
}

TEST_CASE("a rule's comment is changed in place, and nothing else") {
  const Remarks remarks{.log = std::nullopt, .comment = "new"};
  CHECK(remark("# a\r\n  allow 1   comment 'old'  # y\r\nallow 2", 1, remarks) ==
        "# a\r\n  allow 1   comment \"new\"  # y\r\nallow 2");
  CHECK(remark("allow 1 comment old # y\n", 1, remarks) == "allow 1 comment \"new\" # y\n");
  CHECK(remark("allow comment \"old\" 1\n", 1, remarks) == "allow comment \"new\" 1\n");
  CHECK(remark("allow 1  # y\nallow 2", 1, remarks) == "allow 1 comment \"new\"  # y\nallow 2");
  CHECK(remark("allow 1\nallow 2", 2, remarks) == "allow 1\nallow 2 comment \"new\"");
  CHECK(remark("allow 1\n", 1, {.log = std::nullopt, .comment = "a \"b\" \\"}) ==
        "allow 1 comment \"a \\\"b\\\" \\\\\"\n");
}

TEST_CASE("an empty comment takes the comment away") {
  const Remarks remarks{.log = std::nullopt, .comment = ""};
  CHECK(remark("allow 1   comment 'old'  # y\n", 1, remarks) == "allow 1  # y\n");
  CHECK(remark("allow comment old 1\n", 1, remarks) == "allow 1\n");
  CHECK(remark("allow 1\n", 1, remarks) == "allow 1\n");
}

TEST_CASE("how a rule is logged is changed in place") {
  const Remarks always{.log = Log::Always, .comment = std::nullopt};
  const Remarks none{.log = Log::None, .comment = std::nullopt};
  CHECK(remark("allow in log 1\n", 1, none) == "allow in log none 1\n");
  CHECK(remark("allow in log none 1 comment x\n", 1, always) == "allow in log 1 comment x\n");
  CHECK(remark("allow log-all 1\n", 1, none) == "allow log none 1\n");
  const Remarks sample{.log = Log::sample(50), .comment = std::nullopt};
  CHECK(remark("allow 1 # web\n", 1, sample) == "allow 1 log sample 50 # web\n");
  CHECK(remark("allow log sample 9 1\n", 1, sample) == "allow log sample 50 1\n");
  CHECK(remark("allow log sample 9 1\n", 1, always) == "allow log 1\n");
  CHECK(remark("allow 1 comment x\n", 1, always) == "allow 1 log comment x\n");
  CHECK(remark("allow 1\n", 1, {.log = Log::None, .comment = "x"}) ==
        "allow 1 log none comment \"x\"\n");
  CHECK(remark("allow comment y log 1\n", 1, {.log = Log::None, .comment = "x"}) ==
        "allow comment \"x\" log none 1\n");
}

TEST_CASE("a rule of an included file keeps its comment") {
  const SourceTree tree = tree_of("include \"x.fw\"\n", {{"x.fw", "allow 1\n"}});
  CHECK(remark(tree, 1, {.log = std::nullopt, .comment = "new"}) ==
        "x.fw:1:1: error: the rule stands in an included file, which commands don't change\nallow "
        "1\n^~~~~~~\n"
        "hint: edit x.fw and apply the policy\n");
}

TEST_CASE("after any sequence of edits a policy is what its text says") {
  const auto seed = ::tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  ::tests::Random random(seed);
  for (int round = 0; round < 30; ++round) {
    SourceTree tree = tree_of(
        "# head\nset a = { 10.0.0.1,\n  10.0.0.2 }\n\nallow 1 # x\ninclude \"x.fw\"\n"
        "expect deny in tcp 192.0.2.1 to 10.0.0.1 port 9\ninclude \"*.d/*.fw\"\n"
        "  allow from @a comment 'y'\nexpect deny in tcp 192.0.2.1 to 10.0.0.1 port 8",
        {{"x.fw", "allow 2\n# x\nallow 3\n"}});
    Resolved now = Loaded(tree).resolved;
    for (unsigned port = 1000; port < 1030; ++port) {
      const EditBase base{now.policy, now.outline, services()};
      const std::size_t rules = now.policy.rules.size();
      const std::string rule = fmt::format(" {} from @a to any port {} comment c # z",
                                           random.one_in(3) ? "limit" : "deny", port);
      auto edited = random.one_in(3)   ? edit_set(base, random)
                    : random.one_in(3) ? remove_rule(base, random.below(rules))
                    : random.one_in(2) ? insert_rule(base, 1 + random.below(rules + 1), rule)
                    : random.one_in(3) ? change_remarks(base, random.below(rules),
                                                        {.log = Log::None, .comment = rule})
                                       : append_rule(base, rule);
      if (!edited) continue;  // in an included file
      check_meaning(tree, *edited);
      tree.main.text = edited->policy.sources->main.text;
      now.policy = std::move(edited->policy);
      now.outline = std::move(edited->outline);
    }
  }
}

TEST_CASE("a member is added in the style of its set") {
  CHECK(add("set a = { }\n", "10.0.0.1") == "set a = { 10.0.0.1 }\n");
  CHECK(add("set a = {}\n", "80") == "set a = { 80 }\n");
  CHECK(add("set a = {\n  # none yet\n}\n", "80") == "set a = { 80\n  # none yet\n}\n");
  CHECK(add("set a = { 10.0.0.1 } # x\n", "10.0.0.2") == "set a = { 10.0.0.1, 10.0.0.2 } # x\n");
  CHECK(add("set a={10.0.0.1,10.0.0.2}", "10.0.0.3") == "set a={10.0.0.1,10.0.0.2,10.0.0.3}");
  CHECK(add("set a = { 80, }\n", "90") == "set a = { 80, 90, }\n");
  CHECK(add("set a = {\n    10.0.0.1, # one\n    10.0.0.2 # two\n}\n", "10.0.0.3") ==
        "set a = {\n    10.0.0.1, # one\n    10.0.0.2, # two\n    10.0.0.3\n}\n");
  CHECK(add("set a = {\r\n\t10.0.0.1,\r\n\t10.0.0.2,\r\n}\r\n", "10.0.0.3") ==
        "set a = {\r\n\t10.0.0.1,\r\n\t10.0.0.2,\r\n\t10.0.0.3,\r\n}\r\n");
  CHECK(add("set a = {\n  10.0.0.1\n  10.0.0.2\n}\n", "::1") ==
        "set a = {\n  10.0.0.1\n  10.0.0.2\n  ::1\n}\n");
  CHECK(add("set a = { 10.0.0.1,\n          10.0.0.2 }\n", "10.0.0.3") ==
        "set a = { 10.0.0.1,\n          10.0.0.2, 10.0.0.3 }\n");
}

TEST_CASE("a member that is there already changes nothing") {
  CHECK(add("set a = { 10.0.0.1/32 }\n", "10.0.0.1") == "set a = { 10.0.0.1/32 }\n");
  CHECK(drop("set a = { 10.0.0.1 }\n", "10.0.0.2") == "set a = { 10.0.0.1 }\n");
}

TEST_CASE("a member is removed with its comma or its line") {
  CHECK(drop("set a = { 10.0.0.1 }\n", "10.0.0.1") == "set a = { }\n");
  CHECK(drop("set a = {80,}\n", "80") == "set a = { }\n");
  CHECK(drop("set a = { 80, 90, 100 }\n", "80") == "set a = { 90, 100 }\n");
  CHECK(drop("set a = { 80, 90, 100 }\n", "90") == "set a = { 80, 100 }\n");
  CHECK(drop("set a = { 80, 90, 100 }\n", "100") == "set a = { 80, 90 }\n");
  CHECK(drop("set a = { 80, 90, 80 }\n", "80") == "set a = { 90 }\n");
  CHECK(drop("set a = {\n  80, # one\n  90 # two\n}\n", "80") == "set a = {\n  90 # two\n}\n");
  CHECK(drop("set a = {\n  80, # one\n  90 # two\n}\n", "90") == "set a = {\n  80, # one\n}\n");
  CHECK(drop("set a = { 80,\n  90 }\n", "90") == "set a = { 80,\n   }\n");
  CHECK(drop("set a = { 80,\n  90 }\n", "80") == "set a = { \n  90 }\n");
}

TEST_CASE("several members are added and removed at once") {
  const SourceTree tree = tree_of("set a = { 10.0.0.1,\n  10.0.0.2\n}\nallow from @a\n");
  const Loaded loaded(tree);
  const std::vector<std::string> some = {"10.0.0.9", "10.0.0.2", "::1", "10.0.0.1"};
  CHECK(text_of(tree, add_members(loaded.resolved.policy, "a", some, services())) ==
        "set a = { 10.0.0.1,\n  10.0.0.2,\n  10.0.0.9,\n  ::1\n}\nallow from @a\n");
  CHECK(text_of(tree, remove_members(loaded.resolved.policy, "a", some, services())) ==
        "set a = { \n}\nallow from @a\n");
}

TEST_CASE("what a removed member shares with others stays a member") {
  CHECK(drop("set a = { 10.0.0.4-10.0.0.9, 10.0.0.8-10.0.0.20, 10.0.0.21 }\nallow from @a\n",
             "10.0.0.8-10.0.0.20") == "set a = { 10.0.0.4-10.0.0.9, 10.0.0.21 }\nallow from @a\n");
  CHECK(drop("set a = { 10.0.0.0/24, 10.0.0.7, 10.0.0.7 }\nallow from @a\n", "10.0.0.0/24") ==
        "set a = { 10.0.0.7, 10.0.0.7 }\nallow from @a\n");
}

TEST_CASE("set edits that make no sense are refused") {
  CHECK(add("set b = { }\n", "80") == "error: unknown set \"a\"\n");
  CHECK(add("set a = { 80 }\n", "10.0.0.1") ==
        "error: \"10.0.0.1\" is an address in a set of ports\n");
  CHECK(add("set a = { ::1 }\n", "80") == "error: \"80\" is a port in a set of addresses\n");
  CHECK(add("set a = { ::1 }\n", "10.0.0.1, 10.0.0.2 }\nallow from any\n#").starts_with("error: "));
  CHECK(add("set a = { }\n", "10.0.0.9/8") ==
        "error: \"10.0.0.9/8\" has bits set below its prefix\nhint: did you mean 10.0.0.0/8?\n");
  CHECK(drop("set a = { 10.0.0.0/8 }\n", "10.0.0.1") ==
        "policy.fw:1:11: error: \"10.0.0.1\" isn't a member by itself: 10.0.0.0/8 holds it\nset a "
        "= { 10.0.0.0/8 }\n"
        "          ^~~~~~~~~~\nhint: remove 10.0.0.0/8 and add what shall stay\n");
  const SourceTree tree = tree_of("include \"x.fw\"\n", {{"x.fw", "set a = { 80 }\n"}});
  CHECK(add(tree, "90") ==
        "x.fw:1:5: error: the set \"a\" stands in an included file, which commands don't change\n"
        "set a = { 80 }\n    ^\nhint: edit x.fw and apply the policy\n");
}

TEST_CASE("adding and removing members gives the set back, whatever its style") {
  for (const char* text :
       {"set a = { 80, 90 }\n", "set a={80,90}", "set a = {\n  80,\n  90,\n}\n",
        "set a = {\r\n  80\r\n  90\r\n}\r\n", "set a = { 80,\n  90 } # x\n", "set a = {80\n,90}"}) {
    const std::string longer = add(text, "100");
    CHECK(Loaded(tree_of(longer)).resolved.policy.sets.at("a").ports ==
          std::vector<PortRange>{{80, 80}, {90, 90}, {100, 100}});
    CHECK(drop(longer, "100") == text);
  }
}

TEST_CASE("a rule is selected by number, id or text") {
  const SourceTree tree =
      tree_of("allow 22/tcp comment \"a\"\nset s = { 10.0.0.1 }\nallow from @s\ndeny 80\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  const Policy& policy = resolved->policy;
  CHECK(select(policy, "1") == "1");
  CHECK(select(policy, " 3 ") == "3");
  CHECK(select(policy, policy.rules[1].id.str()) == "2");
  CHECK(select(policy, policy.rules[2].id.str().substr(0, 5)) == "3");
  CHECK(select(policy, "allow ssh") == "1");
  CHECK(select(policy, "allow in 22/tcp log comment \"other\"") == "1");
  CHECK(select(policy, "allow from @s to any") == "2");
}

TEST_CASE("a selector that selects nothing says why") {
  const SourceTree tree = tree_of("allow 22/tcp\nallow 80\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  Policy policy = resolved->policy;
  CHECK(select(policy, "0") == "error: there is no rule 0\nhint: the rules are 1 to 2\n");
  CHECK(select(policy, "3") == "error: there is no rule 3\nhint: the rules are 1 to 2\n");
  CHECK(select(policy, "") ==
        "error: no rule is named\nhint: a number, an id, or the rule itself\n");
  CHECK(select(policy, "deny 22/tcp") ==
        "error: no rule says \"deny in proto tcp from any to any port 22\"\n");
  CHECK(select(policy, "allow @x") ==
        "command line:1:7: error: unknown set \"x\"\nallow @x\n      ^~\n");
  CHECK(select(policy, "0000000000000000") ==
        "error: no rule has an id that starts with 0000000000000000\n");
  CHECK(select(policy, "ping") ==
        "error: \"ping\" is a built-in rule\nhint: \"builtin ping off\" in the policy switches it "
        "off\n");
  CHECK(select(policy, "web") ==
        "error: \"web\" is neither a rule's number nor an id nor a rule\n");
  ::tests::change(policy.rules, 0, [](Rule& rule) { rule.id = "abcd000000000000"; });
  ::tests::change(policy.rules, 1, [](Rule& rule) { rule.id = "abcd111111111111"; });
  CHECK(select(policy, "abcd") ==
        "error: 2 rules have an id that starts with abcd\n"
        "hint: 1 abcd000000000000 allow in proto tcp from any to any port 22; "
        "2 abcd111111111111 allow in proto tcp,udp from any to any port 80\n");
  CHECK(select(policy, "abcd1") == "2");
}
