#include "rules/expect.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

// What is wrong with the expectations of a policy, or with the policy.
std::string check(const std::string& text) {
  const SourceTree tree = tree_of(text);
  const auto resolved = resolve_tree(tree);
  if (!resolved) return render_all(resolved.error());
  return render_all(
      check_expects(resolved->policy, resolved->outline.expects, compile(resolved->policy)));
}

}  // namespace

TEST_CASE("expectations that hold are silent") {
  CHECK(check("set peers = { 10.0.0.12, 2001:db8::12 }\n"
              "limit ssh\nallow proto tcp from @peers to any port 3306\nreject out to any port 25\n"
              "expect allow in tcp 198.51.100.7 to 10.0.0.11 port 22\n"
              "expect limit in tcp 198.51.100.7 to 10.0.0.11 port ssh\n"
              "expect deny in tcp 198.51.100.7 to 10.0.0.11 port 3306\n"
              "expect allow tcp 10.0.0.12 to 10.0.0.11 port 3306\n"
              "expect allow in tcp 2001:db8::12 to 2001:db8::11 port 3306\n"
              "expect deny in tcp 2001:db8::13 to 2001:db8::11 port 3306\n"
              "expect reject out tcp 10.0.0.11 to 192.0.2.1 port 25\n"
              "expect allow in icmp 198.51.100.7 to 10.0.0.11 type echo-request\n"
              "expect allow in icmp 2001:db8::1 to 2001:db8::2 type echo-request\n"
              "expect deny in icmp 198.51.100.7 to 10.0.0.11 type 13\n"
              "expect deny in esp 198.51.100.7 to 10.0.0.11\n")
            .empty());
}

TEST_CASE("a false expectation is shown with what the policy says, and by which line") {
  CHECK(check("allow 3306/tcp comment \"oops\"\nexpect deny in tcp 198.51.100.7 to 10.0.0.11 port "
              "3306\n") ==
        "policy.fw:2:1: error: expected deny, but the policy says allow, by policy.fw:1\n"
        "expect deny in tcp 198.51.100.7 to 10.0.0.11 port 3306\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "policy.fw:1:1: note: see also\n"
        "allow 3306/tcp comment \"oops\"\n"
        "^~~~~~~~~~~~~~\n");
  CHECK(
      check("expect allow in tcp 10.0.0.12 to 10.0.0.11 port 3306\n") ==
      "policy.fw:1:1: error: expected allow, but the policy says deny, by the default for \"in\"\n"
      "expect allow in tcp 10.0.0.12 to 10.0.0.11 port 3306\n"
      "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
  CHECK(check("expect deny in icmp 10.0.0.12 to 10.0.0.11 type echo-request\n") ==
        "policy.fw:1:1: error: expected deny, but the policy says allow, by the built-in rule "
        "\"ping\"\n"
        "expect deny in icmp 10.0.0.12 to 10.0.0.11 type echo-request\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
  CHECK_FALSE(check("allow 22/tcp\nexpect limit in tcp 10.0.0.1 to 10.0.0.2 port 22\n").empty());
}

TEST_CASE("an expectation that the interface decides must name it") {
  const std::string rule = "allow on eth0 80/tcp\n";
  CHECK(
      check(rule + "expect allow in tcp 10.0.0.1 to 10.0.0.2 port 80\n") ==
      "policy.fw:2:1: error: the answer depends on the interface: it can be allow, by policy.fw:1\n"
      "expect allow in tcp 10.0.0.1 to 10.0.0.2 port 80\n"
      "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
      "policy.fw:1:1: note: see also\n"
      "allow on eth0 80/tcp\n"
      "^~~~~~~~~~~~~~~~~~~~\n"
      "hint: name it: on eth0\n");
  CHECK(check(rule + "expect allow in tcp 10.0.0.1 to 10.0.0.2 port 80 on eth0\n").empty());
  CHECK(check(rule + "expect deny in tcp 10.0.0.1 to 10.0.0.2 port 80 on eth1\n").empty());
  CHECK(check(rule + "expect deny in tcp 10.0.0.1 to 10.0.0.2 port 81\n").empty());
}

TEST_CASE("an expectation that the source's port decides must name it") {
  const std::string rule = "allow proto udp from any port 53 to any\n";
  CHECK(check(rule + "expect deny in udp 10.0.0.1 to 10.0.0.2 port 4000\n") ==
        "policy.fw:2:1: error: the answer depends on the source's port: it can be allow, by "
        "policy.fw:1\n"
        "expect deny in udp 10.0.0.1 to 10.0.0.2 port 4000\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "policy.fw:1:1: note: see also\n"
        "allow proto udp from any port 53 to any\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "hint: name it: 10.0.0.1 port 53\n");
  CHECK(check(rule + "expect allow in udp 10.0.0.1 port 53 to 10.0.0.2 port 4000\n").empty());
  CHECK(check(rule + "expect deny in udp 10.0.0.1 port 54 to 10.0.0.2 port 4000\n").empty());
  CHECK(check(rule + "expect deny in tcp 10.0.0.1 to 10.0.0.2 port 4000\n").empty());
}

TEST_CASE("an expectation is about one packet that can exist") {
  const std::pair<const char*, const char*> cases[] = {
      {"expect deny in tcp 10.0.0.0/8 to 10.0.0.2 port 1",
       "1:20: error: \"10.0.0.0/8\" isn't an address"},
      {"expect deny in tcp any to 10.0.0.2 port 1", "1:20: error: \"any\" isn't an address"},
      {"expect deny in tcp 10.0.0.1 to ::1 port 1",
       "1:32: error: 10.0.0.1 is IPv4, ::1 is IPv6: no packet is both"},
      {"expect deny in tcp 10.0.0.1 to 10.0.0.2", "1:1: error: the destination's port is missing"},
      {"expect deny in tcp 10.0.0.1 to 10.0.0.2 port 1:5", "1:46: error: \"1:5\" isn't one port"},
      {"expect deny in esp 10.0.0.1 to 10.0.0.2 port 1", "1:46: error: esp has no ports"},
      {"expect deny in icmp 10.0.0.1 to 10.0.0.2", "1:1: error: the ICMP type is missing"},
      {"expect deny in icmpv6 10.0.0.1 to 10.0.0.2 type 1",
       "1:16: error: icmpv6 is IPv6, 10.0.0.1 is IPv4: no packet is both"},
      {"expect deny in icmp 10.0.0.1 to 10.0.0.2 type packet-too-big",
       "1:47: error: packet-too-big is IPv6, 10.0.0.1 is IPv4: no packet is both"},
      {"expect deny in tcp 10.0.0.1 to 10.0.0.2 port 1 type 8", "1:53: error: tcp has no types"},
  };
  for (const auto& [policy, first_line] : cases) {
    const std::string errors = check(policy);
    CHECK(errors.substr(0, errors.find('\n')) == std::string("policy.fw:") + first_line);
  }
}
