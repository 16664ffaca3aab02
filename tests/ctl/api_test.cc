#include <string>

#include <catch2/catch.hpp>

#include "ctl/api/codec.h"
#include "ctl/api/error.h"
#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "ctl/api/status.h"
#include "rules/text.h"

using namespace ctl::api;

namespace {

template <class Body>
std::string problem(const std::string& text) {
  const auto body = decode<Body>(text);
  return body ? "fine" : body.error();
}

}  // namespace

TEST_CASE("a request is written with the fields in their documented order") {
  CHECK(encode(AddRule{"allow in 80/tcp", 2}) == R"({"rule":"allow in 80/tcp","position":2})");
  CHECK(encode(AddRule{"allow in 80/tcp", {}}) == R"({"rule":"allow in 80/tcp"})");
  CHECK(encode(ChangeSet{{{"192.0.2.1"}}, {}}) == R"({"add":["192.0.2.1"]})");
  CHECK(encode(Nothing{}) == "{}");
  CHECK(
      encode(Sources{{"policy.fw", "deny \"x\"\n"}, {{"policy.d/a.fw", ""}}}) ==
      R"({"main":{"name":"policy.fw","text":"deny \"x\"\n"},"includes":[{"name":"policy.d/a.fw","text":""}]})");
}

TEST_CASE("a diagnostic has its place beside its message") {
  const rules::Location where{"policy.fw", 3, 10, 5, "allow in @peer"};
  const Error error{
      ErrorCode::Syntax,
      "unknown set",
      {{rules::Severity::Warning, where, "unknown set", "did you mean \"@peers\"?", {where}}}};
  const std::string text = encode(ErrorBody{error});
  CHECK(
      text ==
      R"({"error":{"code":"syntax","message":"unknown set","diagnostics":[{"severity":"warning",)"
      R"("file":"policy.fw","line":3,"column":10,"length":5,"source_line":"allow in @peer",)"
      R"("message":"unknown set","hint":"did you mean \"@peers\"?",)"
      R"("other":[{"file":"policy.fw","line":3,"column":10,"length":5,"source_line":"allow in @peer"}]}]}})");
  const auto back = decode<ErrorBody>(text);
  REQUIRE(back);
  CHECK(encode(*back) == text);
}

TEST_CASE("what was written reads back the same") {
  Status status;
  status.pid = 812;
  status.builtins = {{"dhcp", false}, {"ping", true}};
  status.queue.workers = {{0, 18446744073709551615ULL, 1, 2, 3, 4, 5}};
  status.warnings = {"ufw is active"};
  const auto read = decode<Status>(encode(status));
  REQUIRE(read);
  CHECK(encode(*read) == encode(status));
  CHECK(read->queue.workers.at(0).packets == 18446744073709551615ULL);
}

TEST_CASE("a malformed body is refused with the field's name") {
  CHECK(problem<AddRule>("") == "is not JSON");
  CHECK(problem<AddRule>("{") == "is not JSON");
  CHECK(problem<AddRule>("[]") == "must be an object");
  CHECK(problem<AddRule>("{}") == "rule: is missing");
  CHECK(problem<AddRule>(R"({"rule":7})") == "rule: must be a string");
  CHECK(problem<AddRule>(R"({"rule":"x","position":-1})") ==
        "position: must be a whole number, 0 or more");
  CHECK(problem<AddRule>(R"({"rule":"x","position":1.5})") ==
        "position: must be a whole number, 0 or more");
  CHECK(problem<AddRule>(R"({"rule":"x","positon":1})") ==
        "positon: is not a field of this request");
  CHECK(problem<AddRule>(R"({"rule":"x","position":1})") == "fine");
  CHECK(problem<Sources>(R"({"main":{"name":"a","text":1},"includes":[]})") ==
        "main.text: must be a string");
  CHECK(problem<Sources>(R"({"main":{"name":"a","text":""},"includes":[{"name":"b"}]})") ==
        "includes.0.text: is missing");
  CHECK(problem<ChangeSet>(R"({"add":"x"})") == "add: must be an array");
  CHECK(problem<Nothing>(R"({"x":1})") == "x: is not a field of this request");
  CHECK(problem<Set>(R"({"name":"a","kind":"cats","members":[],"file":"","line":1})") ==
        "kind: is none of the known words");
}

TEST_CASE("a policy's texts come back as they were, whatever is in them") {
  const std::string all =
      "\"\\/\b\f\n\r\t \x01\x1f\x7f caf\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x94\xa5 \\u00e9 \\n \\";
  for (std::size_t begin = 0; begin <= all.size(); ++begin) {
    const std::string text = all.substr(begin);
    if (!rules::is_utf8(text)) continue;  // begins inside a character
    const auto back = decode<Sources>(encode(Sources{{text, "x"}, {{"a", text}, {"b", "\n"}}}));
    REQUIRE(back);
    CHECK(back->main.name == text);
    REQUIRE(back->includes.size() == 2);
    CHECK(back->includes[0].text == text);
    CHECK(back->includes[1].text == "\n");
  }
}

TEST_CASE("a policy may be sent in any way that JSON has") {
  const auto text_of = [](const std::string& body) {
    const auto sources = decode<Sources>(body);
    return sources ? sources->main.text : sources.error();
  };
  CHECK(text_of(R"({"main":{"name":"a","text":"x\n"},"includes":[]})") == "x\n");
  CHECK(text_of(R"({"main":{"name":"a","text":"\u0078\/\n"},"includes":[]})") == "x/\n");
  CHECK(text_of(R"({"includes":[],"main":{"text":"x","name":"a"}})") == "x");
  CHECK(text_of(R"( { "main" : { "name":"a","text":"x" }, "includes":[ ] } )") == "x");
}

TEST_CASE("a policy's body that is cut off anywhere, or goes on, is no policy") {
  const std::string whole = encode(Sources{{"a", "x\n\"\\"}, {{"b", "y"}, {"c", "z"}}});
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(problem<Sources>(whole.substr(0, length)) == "is not JSON");
  CHECK(problem<Sources>(whole + "}") == "is not JSON");
  CHECK(problem<Sources>(R"({"main":{"name":"a","text":"\x"},"includes":[]})") == "is not JSON");
  CHECK(problem<Sources>("{\"main\":{\"name\":\"a\",\"text\":\"\n\"},\"includes\":[]}") ==
        "is not JSON");
  CHECK(problem<Sources>("{\"main\":{\"name\":\"a\",\"text\":\"\xff\"},\"includes\":[]}") ==
        "is not JSON");
  CHECK(
      problem<Sources>(R"({"main":{"name":"a","text":""},"includes":[{"name":"b","text":""},]})") ==
      "is not JSON");
}

TEST_CASE("a policy's bytes that are no UTF-8 are replaced") {
  CHECK(encode(Sources{{"a", "x\xff"}, {}}) ==
        "{\"main\":{\"name\":\"a\",\"text\":\"x\xef\xbf\xbd\"},\"includes\":[]}");
}

TEST_CASE("an answer's unknown fields are ignored, so that versions may differ") {
  CHECK(problem<ModeChanged>(R"({"mode":"observe","already":false,"since":"today"})") == "fine");
}

TEST_CASE("a number that doesn't fit is refused and not cut") {
  CHECK(problem<Enabled>(R"({"enabled":1,"already":false})") == "enabled: must be true or false");
  std::string text = encode(Status{});
  text.replace(text.find("\"pid\":0"), 7, "\"pid\":4294967296");
  CHECK(problem<Status>(text) == "pid: is too large");
}

TEST_CASE("nesting costs no more than the text itself") {
  CHECK(problem<AddRule>(std::string(1'000'000, '[')) == "is nested too deeply");
  CHECK(problem<AddRule>(std::string(1'000'000, '[') + std::string(1'000'000, ']')) ==
        "is nested too deeply");
}

TEST_CASE("a bracket in a string nests nothing") {
  CHECK(problem<AddRule>(R"({"rule":"\\[[[[[[[[[[ \"{{{{{{{{{{","position":1})") == "fine");
}

TEST_CASE("bytes that are no UTF-8 don't make an answer fail") {
  Rule rule;
  rule.comment = "\xff";
  CHECK(encode(RuleRemoved{rule}).find("\"comment\":\"\xef\xbf\xbd\"") != std::string::npos);
}

TEST_CASE("every error code has its HTTP status and its exit status") {
  struct Case {
    ErrorCode code;
    const char* name;
    unsigned http;
    int exit;
  };
  const Case cases[] = {
      {ErrorCode::Syntax, "syntax", 400, 2},
      {ErrorCode::BadRequest, "bad_request", 400, 2},
      {ErrorCode::Refused, "refused", 409, 1},
      {ErrorCode::NotFound, "not_found", 404, 1},
      {ErrorCode::NotPermitted, "not_permitted", 403, 4},
      {ErrorCode::Busy, "busy", 503, 1},
      {ErrorCode::TooLarge, "too_large", 413, 1},
      {ErrorCode::Internal, "internal", 500, 1},
      {ErrorCode::Unreachable, "unreachable", 503, 3},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(to_string(c.code) == c.name);
    CHECK(http_status(c.code) == c.http);
    CHECK(static_cast<int>(exit_status(c.code)) == c.exit);
  }
}

TEST_CASE("an HTTP status without a body of ours stands for an error code") {
  CHECK(code_of(400) == ErrorCode::BadRequest);
  CHECK(code_of(403) == ErrorCode::NotPermitted);
  CHECK(code_of(404) == ErrorCode::NotFound);
  CHECK(code_of(405) == ErrorCode::BadRequest);
  CHECK(code_of(409) == ErrorCode::Refused);
  CHECK(code_of(413) == ErrorCode::TooLarge);
  CHECK(code_of(500) == ErrorCode::Internal);
  CHECK(code_of(503) == ErrorCode::Busy);
}
