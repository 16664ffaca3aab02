// Lists of members, of which a set may have a million: read word by word, and by commas alone.
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "rules/parser.h"
#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

TEST_CASE(
    "a member right behind a comma is read as one behind blanks, and stands where it stands") {
  const auto set = [](const std::string& comma) {
    const std::string text =
        "allow 22\nset x = { 80" + comma + "90" + comma + "100\n 110" + comma + "120 }\n";
    const auto document = parse(tree_of(text));
    REQUIRE(document);
    return std::pair(*document, std::get<ast::Set>(document->statements.at(1)));
  };
  const auto [near, close] = set(",");
  const auto [far, apart] = set(" ,  ");
  REQUIRE(close.members.size() == 5);
  REQUIRE(apart.members.size() == 5);
  const std::uint32_t shifts[] = {0, 3, 6, 0, 3};
  for (std::size_t i = 0; i < 5; ++i) {
    INFO(i);
    const ast::Word one = close.members[i];
    const ast::Word other = apart.members[i];
    CHECK(one.text == other.text);
    CHECK(one.where.line == (i < 3 ? 2U : 3U));
    CHECK(one.where.line == other.where.line);
    CHECK(one.where.column + shifts[i] == other.where.column);
    CHECK(one.where.length == other.where.length);
    CHECK(close.close.line == 3);
  }
}

TEST_CASE("what can't stand in a list is reported where it stands, also right behind a comma") {
  struct Case {
    const char* list;
    const char* error;
  };
  const Case cases[] = {
      {"{ a,b,,c }", "policy.fw:1:15: error: expected a member, found \",\""},
      {"{ a,b,\"c\" }", "policy.fw:1:15: error: expected a member, found the string \"c\""},
      {"{ a,b,{ }", "policy.fw:1:15: error: expected a member, found \"{\""},
      {"{ a,b=c }", "policy.fw:1:14: error: expected \",\" or \"}\", found \"=\""},
      {"{ a,b c }", "policy.fw:1:15: error: expected \",\" or \"}\", found \"c\""},
      {"{ a,b,", "policy.fw:1:9: error: the set \"x\" isn't closed: \"}\" is missing"},
  };
  for (const Case& c : cases) {
    const auto document = parse(tree_of(std::string("set x = ") + c.list + "\n"));
    REQUIRE_FALSE(document);
    const std::string found = render_all(document.error());
    CHECK(found.substr(0, found.find('\n')) == c.error);
  }
  const char* good[] = {"{ a,b,#d\n c }", "{ a,b,\r\n c }", "{ a,b,c,}", "{a,b,c}", "{ a ,b\n,c }"};
  for (const char* list : good) {
    const auto document = parse(tree_of(std::string("set x = ") + list + "\n"));
    REQUIRE(document);
    CHECK(std::get<ast::Set>(document->statements.at(0)).members.size() == 3);
  }
}

TEST_CASE("sets have a limit of members, which the first one beyond is told of") {
  std::string list(2 * kMaxMembers, ',');
  for (std::size_t i = 0; i < list.size(); i += 2) list[i] = '1';
  std::string text = "set x = {";
  for (std::size_t at = 0; at < list.size(); at += 60'000) text += list.substr(at, 60'000) + "\n";
  CHECK(parse(tree_of(text + "}\n")));
  const auto document = parse(tree_of(text + "1,deny,1\n}\n"));
  REQUIRE_FALSE(document);
  REQUIRE(document.error().size() == 1);
  CHECK(document.error()[0].message == "the sets have more than 2000000 members");
  CHECK(document.error()[0].where.line == 68);
  CHECK(document.error()[0].where.column == 1);
}
