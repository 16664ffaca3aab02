#include "ctl/session.h"

#include <catch2/catch.hpp>

namespace {

using ctl::Session;

TEST_CASE("an SSH connection is read as sshd writes it") {
  CHECK(ctl::parse_ssh_connection("203.0.113.7 51514 10.0.0.11 22") ==
        Session{"203.0.113.7:51514", "10.0.0.11:22"});
  CHECK(ctl::parse_ssh_connection("2001:db8::7 51514 2001:db8::1 22") ==
        Session{"[2001:db8::7]:51514", "[2001:db8::1]:22"});
  for (const char* text : {"", "203.0.113.7", "203.0.113.7 51514 10.0.0.11"}) {
    CHECK(ctl::parse_ssh_connection(text) == Session{});
  }
}

}  // namespace
