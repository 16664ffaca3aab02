#include "rules/resolver.h"

#include <string>

#include <catch2/catch.hpp>

#include "rules/printer.h"
#include "rules/sha256.h"
#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

TEST_CASE("ufw's command lines mean what they mean to ufw") {
  struct Case {
    const char* ufw;
    const char* meaning;
  };
  const Case cases[] = {
      // The examples of ufw(8).
      {"allow 53", "allow in proto tcp,udp from any to any port 53"},
      {"allow 25/tcp", "allow in proto tcp from any to any port 25"},
      {"allow smtp/tcp", "allow in proto tcp from any to any port 25"},
      {"deny proto tcp to any port 80", "deny in proto tcp from any to any port 80"},
      {"deny proto tcp from 10.0.0.0/8 to 192.168.0.1 port 25",
       "deny in proto tcp from 10.0.0.0/8 to 192.168.0.1 port 25"},
      {"deny proto tcp from 2001:db8::/32 to any port 25",
       "deny in proto tcp from 2001:db8::/32 to any port 25"},
      {"allow proto tcp from any to any port 80,443,8080:8090",
       "allow in proto tcp from any to any port 80,443,8080:8090"},
      {"limit ssh/tcp", "limit in proto tcp from any to any port 22 rate 6/30s"},
      {"allow in http", "allow in proto tcp from any to any port 80"},
      {"reject out smtp", "reject out proto tcp from any to any port 25"},
      {"reject out to any port 25", "reject out proto tcp,udp from any to any port 25"},
      {"deny out to 192.168.1.1", "deny out from any to 192.168.1.1"},
      {"allow in on eth0 to any port 80 proto tcp",
       "allow in on eth0 proto tcp from any to any port 80"},
      {"allow in on eth0", "allow in on eth0 from any to any"},
      {"allow proto esp from any to any", "allow in proto esp from any to any"},
      {"allow proto ah from 10.0.0.1", "allow in proto ah from 10.0.0.1 to any"},
      {"allow ssh", "allow in proto tcp from any to any port 22"},
      {"allow domain", "allow in proto tcp,udp from any to any port 53"},
      {"allow www", "allow in proto tcp from any to any port 80"},
      {"allow to any port ssh", "allow in proto tcp from any to any port 22"},
      {"allow from any port 67 to any port 68 proto udp",
       "allow in proto udp from any port 67 to any port 68"},
      {"allow 6000:6007/tcp", "allow in proto tcp from any to any port 6000:6007"},
      {"allow out 53", "allow out proto tcp,udp from any to any port 53"},
      {"deny from 10.0.0.0/255.0.0.0", "deny in from 10.0.0.0/8 to any"},
      {"allow log 22/tcp", "allow in proto tcp from any to any port 22"},
      {"allow log-all from 10.0.0.1", "allow in from 10.0.0.1 to any"},
      {"allow OpenSSH",
       "policy.fw:1:7: error: unknown service \"OpenSSH\"\nallow OpenSSH\n      ^~~~~~~\n"
       "hint: fwd has no application profiles: name the ports, as in \"allow 80,443/tcp\"\n"},
      {"allow from www.example.com",
       "policy.fw:1:12: error: \"www.example.com\" isn't an address\nallow from www.example.com\n"
       "           ^~~~~~~~~~~~~~~\n"
       "hint: host names aren't looked up: a rule must not change with a name server's answer\n"},
  };
  for (const Case& c : cases) CHECK(canonical_of(c.ufw) == c.meaning);
}

TEST_CASE("one meaning has one canonical text") {
  const std::string text = "allow in proto tcp from any to any port 80:81,443";
  for (const char* same : {"allow 80,81,443/tcp", "allow in 443,80:81/tcp log",
                           "allow in log none proto tcp to any port 80,443,81",
                           "allow proto 6 from any to any port 80-81,443 comment \"x\"",
                           "allow proto tcp to any port http,81,443"}) {
    CHECK(canonical_of(same) == text);
  }
  CHECK(canonical_of("allow proto udp,tcp to any port 53") == canonical_of("allow 53"));
  CHECK(canonical_of("set a = { 80 }\nallow to any port 22,@a,23") ==
        "allow in proto tcp,udp from any to any port 22:23,@a");
}

TEST_CASE("canonical text leads to itself") {
  const std::string sets = "set a = { 10.0.0.1 }\nset p = { 80 }\n";
  for (const char* rule :
       {"allow 80", "allow proto icmp", "allow proto 1", "allow proto icmpv6",
        "allow proto icmp,tcp", "allow proto icmp type echo-request", "allow proto icmp type 8",
        "allow proto icmpv6 type 128", "allow proto icmp type packet-too-big",
        "allow proto icmp type source-quench", "allow proto icmp type admin-prohibited",
        "allow proto icmp type 3/4", "allow proto 253",
        "limit out on eth0 proto tcp from @a port 1:5 to 10.0.0.1-10.0.0.9 port @p rate 5/1h"}) {
    const std::string canonical = canonical_of(sets + rule);
    CHECK(canonical_of(sets + canonical) == canonical);
  }
}

TEST_CASE("ICMP rules cover both protocols, as far as both have the type") {
  CHECK(canonical_of("allow proto icmp type admin-prohibited") ==
        "allow in proto icmp type communication-prohibited from any to any");
  CHECK(canonical_of("allow proto icmp type 8") == "allow in proto icmp type 8 from any to any");
  CHECK(canonical_of("allow proto icmp type source-quench") ==
        "allow in proto icmp type source-quench from any to any");
  CHECK(canonical_of("allow proto icmp type packet-too-big") ==
        "allow in proto icmpv6 type 2 from any to any");
  CHECK(canonical_of("allow proto ipv6-icmp type echo-request") ==
        "allow in proto icmpv6 type 128 from any to any");
  const SourceTree tree = tree_of("allow proto icmp type port-unreachable");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  CHECK(resolved->policy.rules[0].match.protocols ==
        std::vector<ProtocolMatch>{{1, 3, 3}, {58, 1, 4}});
}

TEST_CASE("the policy of the design is resolved") {
  const SourceTree tree = tree_of(
      "set peers   = { 10.0.0.11, 10.0.0.12, 10.0.0.13, 2001:db8:1::/64 }\n"
      "set admins  = { 192.0.2.0/24, 198.51.100.10-198.51.100.20 }\n"
      "set scanners = { 203.0.113.0/24 }\n\n"
      "default deny in\ndefault allow out\n\n"
      "allow in 80,443/tcp                          comment \"web\"\n"
      "limit in ssh                                 comment \"6 new connections in 30 s from one "
      "address\"\n"
      "allow in proto tcp from @admins to any port 22\n"
      "allow in proto tcp from @peers to any port 3306  comment \"replication\"\n"
      "allow in proto icmp type echo-request\n"
      "reject out proto tcp to any port 25\n"
      "deny in log none from @scanners\n\n"
      "expect deny  in tcp 198.51.100.7 to 10.0.0.11 port 3306\n"
      "expect allow in tcp 10.0.0.12    to 10.0.0.11 port 3306\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  const Policy& policy = resolved->policy;
  CHECK(print(policy) ==
        "set admins = { 192.0.2.0/24, 198.51.100.10-198.51.100.20 }\n"
        "set peers = { 10.0.0.11-10.0.0.13, 2001:db8:1::/64 }\n"
        "set scanners = { 203.0.113.0/24 }\n"
        "default deny in\ndefault allow out\n"
        "allow in proto tcp from any to any port 80,443 comment \"web\"\n"
        "limit in proto tcp from any to any port 22 rate 6/30s comment \"6 new connections in 30 s "
        "from one "
        "address\"\n"
        "allow in proto tcp from @admins to any port 22\n"
        "allow in proto tcp from @peers to any port 3306 comment \"replication\"\n"
        "allow in proto icmp type echo-request from any to any\n"
        "reject out proto tcp from any to any port 25\n"
        "deny in from @scanners to any log none\n");
  CHECK(policy.rules[0].id ==
        sha256_hex("allow in proto tcp from any to any port 80,443").substr(0, 16));
  CHECK(policy.rules[1].rate == Rate{6, 30});
  CHECK(policy.rules[3].match.source.name == "peers");
  CHECK(policy.rules[6].log == Log::None);
  CHECK(policy.rules.written(3).line == 11);
  CHECK(policy.sets.at("peers").where.line == 1);
  CHECK(resolved->outline.expects.size() == 2);
  CHECK(render_all(resolved->warnings) ==
        "policy.fw:10:1: warning: this rule never decides: an earlier one covers it\n"
        "allow in proto tcp from @admins to any port 22\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "policy.fw:9:1: note: see also\n"
        "limit in ssh                                 comment \"6 new connections in 30 s from one "
        "address\"\n"
        "^~~~~~~~~~~~\n");
}

TEST_CASE("an empty policy denies in, allows out and has the built-in rules") {
  const SourceTree tree = tree_of("");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  CHECK(resolved->policy.default_in == Action::Deny);
  CHECK(resolved->policy.default_out == Action::Allow);
  std::string ids;
  for (const Rule& rule : resolved->policy.builtin_rules) {
    ids += rule.id.str() + " " + std::string(to_string(rule.match.direction)) + ", ";
  }
  CHECK(ids ==
        "loopback in, loopback out, neighbour-discovery in, neighbour-discovery out, mld in, mld "
        "out, "
        "icmp-errors in, icmp-errors out, ping in, dhcp in, dhcp in, ");
}

TEST_CASE("the policy switches built-in rules off") {
  const SourceTree tree = tree_of(
      "builtin loopback off\nbuiltin mld off\nbuiltin dhcp off\nbuiltin established off\n"
      "builtin neighbour-discovery off\nbuiltin icmp-errors off\nbuiltin ping on\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  CHECK_FALSE(resolved->policy.builtins.established);
  REQUIRE(resolved->policy.builtin_rules.size() == 1);
  CHECK(resolved->policy.builtin_rules[0].id == "ping");
}

TEST_CASE("a set is found wherever it stands, and an empty one matches nothing") {
  const SourceTree tree = tree_of("deny from @late\nset late = { }\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  CHECK_FALSE(resolved->policy.rules[0].match.source.any());
  CHECK_FALSE(resolved->policy.rules[0].match.source.matches(Address::v4(1)));
}

TEST_CASE("a sample is no part of a rule's id, but of the policy's hash") {
  const auto all = resolve_tree(tree_of("allow 80\nlimit 22\n"));
  const auto some = resolve_tree(tree_of("allow 80 log sample 100\nlimit 22 log sample 7\n"));
  const auto fewer = resolve_tree(tree_of("allow 80 log sample 101\nlimit 22 log sample 7\n"));
  REQUIRE(all);
  REQUIRE(some);
  REQUIRE(fewer);
  CHECK(some->policy.rules[0].id == all->policy.rules[0].id);
  CHECK(some->policy.rules[0].log == Log::sample(100));
  CHECK(some->policy.rules[1].log.one_in() == 7);
  CHECK(all->policy.hash != some->policy.hash);
  CHECK(some->policy.hash != fewer->policy.hash);
}

TEST_CASE("ids don't depend on members, order, log or comment") {
  const SourceTree one = tree_of("set a = { 10.0.0.1 }\nallow from @a\nallow 80\n");
  const SourceTree two =
      tree_of("set a = { ::1 }\nallow 80 comment \"x\"\nallow in from @a to any log\n");
  const auto first = resolve_tree(one);
  const auto second = resolve_tree(two);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->policy.rules[0].id == second->policy.rules[1].id);
  CHECK(first->policy.rules[1].id == second->policy.rules[0].id);
  CHECK(first->policy.hash != second->policy.hash);
}

TEST_CASE("names that don't exist are shown with one that does") {
  CHECK(errors_of("set peers = { 10.0.0.1 }\nallow in from @peer to any port 3306\n") ==
        "policy.fw:2:15: error: unknown set \"peer\"\n"
        "allow in from @peer to any port 3306\n"
        "              ^~~~~\n"
        "hint: did you mean \"@peers\"?\n");
  CHECK(errors_of("set peers = { 10.0.0.1 }\nallow from peers\n") ==
        "policy.fw:2:12: error: \"peers\" isn't an address\nallow from peers\n           ^~~~~\n"
        "hint: did you mean \"@peers\"?\n");
  CHECK(errors_of("allow htps\n") ==
        "policy.fw:1:7: error: unknown service \"htps\"\nallow htps\n      ^~~~\nhint: did you "
        "mean \"https\"?\n");
  CHECK(errors_of("allow 80/tpc\n") ==
        "policy.fw:1:10: error: unknown protocol \"tpc\"\nallow 80/tpc\n         ^~~\nhint: did "
        "you mean \"tcp\"?\n");
  CHECK(errors_of("allow proto icmp type echo-requst\n") ==
        "policy.fw:1:23: error: unknown ICMP type \"echo-requst\"\nallow proto icmp type "
        "echo-requst\n"
        "                      ^~~~~~~~~~~\nhint: did you mean \"echo-request\"?\n");
  CHECK(errors_of("builtin pnig off\n") ==
        "policy.fw:1:9: error: unknown built-in rule \"pnig\"\nbuiltin pnig off\n        ^~~~\n"
        "hint: did you mean \"ping\"?\n");
}

TEST_CASE("values that can't be meant are refused") {
  struct Case {
    const char* policy;
    const char* first_line;
  };
  const Case cases[] = {
      {"allow from 10.0.0.5/8", "1:12: error: \"10.0.0.5/8\" has bits set below its prefix"},
      {"allow from 10.0.0.0/8 to 2001:db8::/32",
       "1:12: error: 10.0.0.0/8 is IPv4, 2001:db8::/32 is IPv6: no packet is both"},
      {"set a = { ::1 }\nallow from @a to 10.0.0.1",
       "2:12: error: @a is IPv6, 10.0.0.1 is IPv4: no packet is both"},
      {"allow proto icmpv6 from 10.0.0.1",
       "1:25: error: 10.0.0.1 is IPv4, icmpv6 is IPv6: no packet is both"},
      {"allow proto icmp type 8 from ::1",
       "1:30: error: ::1 is IPv6, 8 is IPv4: no packet is both"},
      {"allow 70000", "1:7: error: \"70000\" isn't a port"},
      {"allow 10.0.0.1", "1:7: error: \"10.0.0.1\" is an address, not a port"},
      {"allow to any port 80/tcp", "1:19: error: \"80/tcp\" isn't a port"},
      {"allow proto icmp to any port 80", "1:30: error: icmp has no ports"},
      {"allow proto tcp,esp to any port 80", "1:33: error: esp has no ports"},
      {"allow proto tcp type 8", "1:22: error: tcp has no types"},
      {"allow from any type 8", "1:21: error: a type needs one protocol, icmp or icmpv6"},
      {"allow proto icmpv6 type source-quench",
       "1:25: error: icmpv6 has no type \"source-quench\""},
      {"allow ssh,domain", "1:7: error: these ports belong to different protocols"},
      {"allow ssh,8080", "1:7: error: these ports belong to different protocols"},
      {"allow from any port ntp to any port ssh",
       "1:37: error: these ports belong to different protocols"},
      {"allow 80 rate 6/30s", "1:15: error: only a limit rule has a rate"},
      {"deny 80 log sample 10",
       "1:9: error: a deny rule's records aren't sampled: each refusal is on record"},
      {"reject log sample 10 from any",
       "1:8: error: a reject rule's records aren't sampled: each refusal is on record"},
      {"limit proto dccp to any port 80", "1:13: error: dccp can't be limited"},
      {"allow on eth+ 80", "1:10: error: interface \"eth+\" has a wildcard"},
      {"allow on averylonginterface 80",
       "1:10: error: interface \"averylonginterface\" has more than 15 characters"},
      {"set a = { 80 }\nallow from @a", "2:12: error: the set \"a\" holds ports, not addresses"},
      {"set a = { ::1 }\nallow to any port @a",
       "2:19: error: the set \"a\" holds addresses, not ports"},
      {"set a = { }\nallow to any port @a", "2:19: error: the set \"a\" has no ports"},
      {"set a = { 80, 10.0.0.1 }", "1:15: error: \"10.0.0.1\" is an address in a set of ports"},
      {"set a = { 10.0.0.1, 80 }", "1:21: error: \"80\" is a port in a set of addresses"},
      {"set a = { @b }", "1:11: error: a set can't hold another set"},
      {"set a = { ssh }", "1:11: error: \"ssh\" isn't a number"},
      {"set 4you = { }", "1:5: error: \"4you\" can't be a set's name"},
      {"set a = { }\nset a = { }", "2:5: error: the set \"a\" is defined twice"},
      {"default deny in\ndefault allow in", "2:1: error: the default for \"in\" is said twice"},
      {"builtin ping off\nbuiltin ping on", "2:9: error: the built-in rule \"ping\" is said twice"},
  };
  for (const Case& c : cases) {
    const std::string errors = errors_of(c.policy);
    CHECK(errors.substr(0, errors.find('\n')) == std::string("policy.fw:") + c.first_line);
  }
}

TEST_CASE("a set with mistakes isn't reported again where it is used") {
  CHECK(errors_of("set a = { 80, x }\nallow to any port @a\n") ==
        "policy.fw:1:15: error: \"x\" isn't a port\nset a = { 80, x }\n              ^\n");
  CHECK(errors_of("set a = { 99999 }\nallow to any port @a\n") ==
        "policy.fw:1:11: error: \"99999\" isn't a port\nset a = { 99999 }\n          ^~~~~\n"
        "hint: ports are 0 to 65535\n");
}

TEST_CASE("one rule of a command line is resolved with a policy's sets") {
  const SourceTree tree = tree_of("set a = { 10.0.0.1 }\n");
  const auto resolved = resolve_tree(tree);
  REQUIRE(resolved);
  const auto good = parse_rule("allow from @a");
  const auto bad = parse_rule("allow from @b");
  REQUIRE(good);
  REQUIRE(bad);
  CHECK(canonical_text(*resolve_rule(good->rule, resolved->policy, services())) ==
        "allow in from @a to any");
  CHECK(render(resolve_rule(bad->rule, resolved->policy, services()).error()) ==
        "command line:1:12: error: unknown set \"b\"\nallow from @b\n           ^~\n");
}
