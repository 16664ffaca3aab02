#include <string>

#include <catch2/catch.hpp>

#include "ctl/api/codec.h"
#include "ctl/api/error.h"
#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "ctl/api/status.h"

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
