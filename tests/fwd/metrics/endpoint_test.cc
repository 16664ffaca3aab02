#include "fwd/metrics/endpoint.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <unistd.h>

using fwd::metrics::parse_endpoint;

TEST_CASE("an endpoint is a loopback address with a port") {
  for (const char* text : {"127.0.0.1:9472", "127.255.0.3:1", "[::1]:65535"}) {
    INFO(text);
    const auto endpoint = parse_endpoint(text);
    REQUIRE(endpoint);
    CHECK(to_string(*endpoint) == text);
  }
}

TEST_CASE("nothing that others can reach is an endpoint") {
  for (const char* text : {"0.0.0.0:9472",
                           "[::]:9472",
                           "192.0.2.1:9472",
                           "128.0.0.1:9472",
                           "126.255.255.255:9472",
                           "[2001:db8::1]:9472",
                           "[::2]:9472",
                           "[::ffff:127.0.0.1]:9472",
                           "localhost:9472",
                           ":9472",
                           "9472",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:0",
                           "127.0.0.1:65536",
                           "127.0.0.1:+1",
                           "::1:9472",
                           "[127.0.0.1]:9472",
                           "[::1]",
                           "[::1:9472",
                           "::1]:9472",
                           "127.1:9472",
                           ""}) {
    INFO(text);
    CHECK_FALSE(parse_endpoint(text));
  }
}

TEST_CASE("a port that somebody has is an error with its name") {
  // An address for each process: tests run side by side.
  const auto pid = static_cast<unsigned>(getpid());
  const std::string text =
      fmt::format("127.{}.{}.{}:39472", pid >> 16 & 0xff, pid >> 8 & 0xff, 1 + (pid & 0x7f));
  const auto endpoint = parse_endpoint(text);
  REQUIRE(endpoint);
  const auto first = fwd::metrics::listen_on(*endpoint);
  REQUIRE(first);
  const auto second = fwd::metrics::listen_on(*endpoint);
  REQUIRE_FALSE(second);
  CHECK(second.error().message() == "bind " + text + ": Address already in use");
}
