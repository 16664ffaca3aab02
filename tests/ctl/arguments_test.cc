#include "ctl/arguments.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace ctl;

namespace {

using Words = std::vector<std::string>;

// "json help socket=PATH | words joined by commas", or the error.
std::string dump(const Words& arguments) {
  const auto parsed = parse_arguments(arguments, "default");
  if (!parsed) return parsed.error().message;
  std::string text;
  if (parsed->json) text += "json ";
  if (parsed->help) text += "help ";
  if (parsed->version) text += "version ";
  for (const auto& [name, value] : parsed->options) text += name + '=' + value + ' ';
  if (parsed->socket != "default") text += "socket=" + parsed->socket + ' ';
  text += '|';
  for (const std::string& word : parsed->words) text += word + '|';
  return text;
}

}  // namespace

TEST_CASE("options stand before and after the command") {
  struct Case {
    Words arguments;
    std::string expected;
  };
  const Case cases[] = {
      {{}, "|"},
      {{"status"}, "|status|"},
      {{"--json", "status"}, "json |status|"},
      {{"status", "verbose", "--json"}, "json |status|verbose|"},
      {{"--socket", "/s", "list"}, "socket=/s |list|"},
      {{"list", "--socket=/s"}, "socket=/s |list|"},
      {{"list", "--socket"}, "--socket needs a path"},
      {{"allow", "--help"}, "help |allow|"},
      {{"watch", "--since", "10m", "denied"}, "--since=10m |watch|denied|"},
      {{"--since=10m", "watch"}, "--since=10m |watch|"},
      {{"watch", "--since"}, "--since needs a time"},
      {{"-h"}, "help |"},
      {{"--version"}, "version |"},
      {{"--force", "delete", "3"}, "|delete|3|"},
      {{"check", "-"}, "|check|-|"},
      {{"check", "--", "--json"}, "|check|--json|"},
      {{"allow", "80", "comment", "--json"}, "|allow|80|comment|--json|"},
      {{"--jsn", "list"}, "unknown option \"--jsn\": did you mean \"--json\"?"},
      {{"list", "-x"}, "unknown option \"-x\": did you mean \"-h\"?"},
      {{"list", "--frobnicate"}, "unknown option \"--frobnicate\""},
  };
  for (const Case& c : cases) {
    INFO(c.expected);
    CHECK(dump(c.arguments) == c.expected);
  }
}

TEST_CASE("a rule's words get back the quotes that the shell took") {
  CHECK(join_rule({"allow", "in", "80,443/tcp"}) == "allow in 80,443/tcp");
  CHECK(join_rule({"allow", "80", "comment", "a b"}) == "allow 80 comment \"a b\"");
  CHECK(join_rule({"allow", "80", "comment", ""}) == "allow 80 comment \"\"");
  CHECK(join_rule({"allow", "80", "comment", "say \"hi\" now"}) ==
        "allow 80 comment \"say \\\"hi\\\" now\"");
  CHECK(join_rule({"allow 80/tcp"}) == "allow 80/tcp");
}
