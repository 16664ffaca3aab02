#include "rules/diagnostic.h"

#include <catch2/catch.hpp>

using namespace rules;

TEST_CASE("a diagnostic shows file, line, the text and a caret under the token") {
  const Diagnostic diagnostic{Severity::Error,
                              {"policy.fw", 3, 15, 5, "allow in from @peer to any port 3306"},
                              "unknown set \"peer\"",
                              "did you mean \"@peers\"?",
                              {}};
  CHECK(render(diagnostic) ==
        "policy.fw:3:15: error: unknown set \"peer\"\n"
        "allow in from @peer to any port 3306\n"
        "              ^~~~~\n"
        "hint: did you mean \"@peers\"?\n");
}

TEST_CASE("further lines are shown below the first one") {
  const Diagnostic diagnostic{Severity::Warning,
                              {"a.fw", 9, 1, 8, "allow 80"},
                              "this rule never decides",
                              "",
                              {{"b.fw", 2, 1, 5, "allow from any"}}};
  CHECK(render(diagnostic) ==
        "a.fw:9:1: warning: this rule never decides\n"
        "allow 80\n"
        "^~~~~~~~\n"
        "b.fw:2:1: note: see also\n"
        "allow from any\n"
        "^~~~~\n");
}

TEST_CASE("the caret stands below its token behind tabs and behind letters of several bytes") {
  CHECK(render({Severity::Error, {"p", 1, 2, 1, "\tx"}, "m", "", {}}) ==
        "p:1:2: error: m\n\tx\n\t^\n");
  CHECK(render({Severity::Error, {"p", 1, 6, 1, "\"\xc3\xa4\" x"}, "m", "", {}}) ==
        "p:1:6: error: m\n\"\xc3\xa4\" x\n    ^\n");
}

TEST_CASE("a long line is cut to what surrounds the token") {
  std::string line(1000, 'a');
  line.append(1, '!').append(1000, 'b');
  const std::string text = render({Severity::Error, {"p", 1, 1001, 1, line}, "m", "", {}});
  CHECK(text == "p:1:1001: error: m\n..." + std::string(60, 'a') + "!" + std::string(99, 'b') +
                    "...\n" + std::string(63, ' ') + "^\n");
}

TEST_CASE("a place outside the line does no harm") {
  CHECK(render({Severity::Error, {"p", 1, 50, 9, "ab"}, "m", "", {}}) ==
        "p:1:50: error: m\nab\n  ^\n");
  CHECK(render({Severity::Error, {"p", 1, 0, 0, ""}, "m", "", {}}) == "p:1:0: error: m\n\n^\n");
}

TEST_CASE("without a place only the message is shown") {
  CHECK(render({Severity::Error, {}, "m", "h", {}}) == "error: m\nhint: h\n");
  CHECK(render({Severity::Error, {"p", 0, 0, 1, ""}, "m", "", {}}) == "p: error: m\n");
}

TEST_CASE("foreign text can't drive the terminal") {
  CHECK(printable("a\x1b[31mb\x7f\n") == "a\\x1b[31mb\\x7f\\x0a");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\x9b2J");
  CHECK(printable("\xc3\xa4\t") == "\xc3\xa4\t");
}
