#include "ctl/http.h"

#include <string>

#include <catch2/catch.hpp>

using namespace ctl;

namespace {

// What comes of `bytes` and the connection's end: "200 BODY", or what is wrong.
std::string read_reply(const std::string& bytes, std::size_t step) {
  ReplyReader reader;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    const auto complete = reader.feed(std::string_view(bytes).substr(i, step));
    if (!complete) return complete.error();
  }
  const auto reply = reader.finish();
  return reply ? std::to_string(reply->status) + ' ' + reply->body : reply.error();
}

}  // namespace

TEST_CASE("a request names its length only where it has a body") {
  CHECK(request_head({"GET", "/v1/status", {}}) ==
        "GET /v1/status HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\n\r\n");
  CHECK(request_head({"POST", "/v1/enable", "{}"}) ==
        "POST /v1/enable HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("what isn't unreserved is percent-encoded") {
  CHECK(percent_encode("allow in 80/tcp") == "allow%20in%2080%2Ftcp");
  CHECK(percent_encode("a-b._~9") == "a-b._~9");
  CHECK(percent_encode("\"\xc3\xa4\r\n") == "%22%C3%A4%0D%0A");
}

TEST_CASE("an answer is read however its bytes arrive") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  struct Case {
    std::string bytes;
    std::string expected;
  };
  const Case cases[] = {
      {head + "Content-Length: 2\r\n\r\n{}", "200 {}"},
      {head + "content-length:  2 \r\n\r\n{}", "200 {}"},
      {head + "\r\n{}", "200 {}"},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 "},
      {"HTTP/1.1 204\r\n\r\n", "204 "},
      {"", "it is empty"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "it ends early"},
      {head + "Content-Length: 3\r\n\r\n{}", "it ends early"},
      {head + "Content-Length: 1\r\n\r\n{}", "it is longer than it says"},
      {head + "Content-Length: -1\r\n\r\n{}", "its length is malformed"},
      {head + "Content-Length: 2x\r\n\r\n{}", "its length is malformed"},
      {head + "Content-Length: 99999999999\r\n\r\n{}", "it is too long"},
      {head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "it is sent in pieces"},
      {head + "no colon\r\n\r\n{}", "its header is malformed"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "it isn't HTTP"},
      {"HTTP/1.1 99 Odd\r\n\r\n", "it isn't HTTP"},
      {"HTTP/1.1 2000 Odd\r\n\r\n", "it isn't HTTP"},
      {"HTTP/1.1\r\n\r\n", "it isn't HTTP"},
  };
  for (const Case& c : cases) {
    INFO(c.bytes);
    CHECK(read_reply(c.bytes, 1) == c.expected);
    CHECK(read_reply(c.bytes, 100'000) == c.expected);
  }
}

TEST_CASE("a header without end is given up") {
  CHECK(read_reply("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), 4096) ==
        "its header is too long");
}
