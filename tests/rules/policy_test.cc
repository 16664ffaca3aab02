#include "rules/policy.h"

#include <catch2/catch.hpp>

#include "rules/icmp.h"
#include "rules/protocols.h"
#include "rules/services.h"
#include "rules/suggest.h"
#include "rules/words.h"

using namespace rules;

TEST_CASE("actions and directions have the language's words") {
  CHECK(to_string(Action::Allow) == "allow");
  CHECK(to_string(Action::Deny) == "deny");
  CHECK(to_string(Action::Reject) == "reject");
  CHECK(to_string(Action::Limit) == "limit");
  CHECK(to_string(Direction::In) == "in");
  CHECK(to_string(Direction::Out) == "out");
}

TEST_CASE("every protocol name leads to its number and back") {
  for (const std::string_view name : protocol_names()) {
    const auto number = protocol_by_name(name);
    REQUIRE(number);
    CHECK(protocol_by_name(protocol_name(*number)) == number);
  }
  CHECK(protocol_name(protocol::kIcmpv6) == "icmpv6");
  CHECK(protocol_name(253) == "253");
  CHECK_FALSE(protocol_by_name("6"));
}

TEST_CASE("services are read from the text of /etc/services") {
  const Services services = parse_services(
      "# Network services\n\n"
      "ssh\t\t22/tcp\t\t\t# SSH\n"
      "domain 53/tcp\ndomain 53/udp\n"
      "http 80/tcp www w3\r\n"
      "rtmp 1/ddp\nbroken 70000/tcp\nbroken2\nexec 512/tcp\nexec 513/udp");
  REQUIRE(services.find("ssh"));
  CHECK(services.find("ssh")->port == 22);
  CHECK(services.find("domain")->protocols == std::vector<std::uint8_t>{6, 17});
  CHECK(services.find("w3")->port == 80);
  CHECK(services.find("exec")->protocols == std::vector<std::uint8_t>{6});
  CHECK_FALSE(services.find("rtmp"));
  CHECK_FALSE(services.find("broken"));
  CHECK_FALSE(services.find("broken2"));
  CHECK_FALSE(services.find(""));
  CHECK(services.hint("doman") == "did you mean \"domain\"?");
}

TEST_CASE("a suggestion is made only for a slip of the finger") {
  CHECK(edit_distance("kitten", "sitting", 5) == 3);
  CHECK(edit_distance("form", "from", 2) == 1);
  CHECK(edit_distance("abc", "xyzuvw", 2) == 3);
  CHECK(did_you_mean("tpc", {"tcp", "udp"}) == "did you mean \"tcp\"?");
  CHECK(did_you_mean("htps", {"ftps", "https", "imaps"}) == "did you mean \"https\"?");
  CHECK(did_you_mean("htps", {"https", "ftps"}) == "did you mean \"https\"?");
  CHECK(did_you_mean("banana", {"tcp", "udp"}).empty());
  CHECK(did_you_mean("", {"a"}).empty());
  CHECK(did_you_mean(std::string(100'000, 'a'), {std::string(100'001, 'a')}).empty());
}

TEST_CASE("ICMP types have names in both protocols") {
  const IcmpName* echo = icmp_by_name("echo-request");
  REQUIRE(echo);
  CHECK(echo->v4 == IcmpType{8, {}});
  CHECK(echo->v6 == IcmpType{128, {}});
  CHECK(icmp_by_types(IcmpType{3, 3}, IcmpType{1, 4})->name == "port-unreachable");
  CHECK_FALSE(icmp_by_types(IcmpType{8, {}}, std::nullopt));
  CHECK(read_icmp_number("3/13") == IcmpType{3, 13});
  CHECK_FALSE(read_icmp_number("3/"));
  CHECK_FALSE(read_icmp_number("256"));
}

TEST_CASE("words that are no addresses say why") {
  const auto message = [](std::string_view word) {
    const auto range = read_range(word);
    return range ? to_string(*range) : range.error().message + "|" + range.error().hint;
  };
  CHECK(message("10.0.0.0/8") == "10.0.0.0/8");
  CHECK(message("10.0.0.0/255.0.0.0") == "10.0.0.0/8");
  CHECK(message("198.51.100.10-198.51.100.20") == "198.51.100.10-198.51.100.20");
  CHECK(message("10.0.0.5/8") ==
        "\"10.0.0.5/8\" has bits set below its prefix|did you mean 10.0.0.0/8?");
  CHECK(message("2001:db8::1/32") ==
        "\"2001:db8::1/32\" has bits set below its prefix|did you mean 2001:db8::/32?");
  CHECK(message("10.0.0.0/33") == "prefix length 33 is more than 32|");
  CHECK(message("10.0.0.0/255.0.255.0") == "\"255.0.255.0\" isn't a prefix length|");
  CHECK(message("::/129") == "prefix length 129 is more than 128|");
  CHECK(message("10.0.0.9-10.0.0.1") ==
        "\"10.0.0.9-10.0.0.1\" ends before it starts|did you mean 10.0.0.1-10.0.0.9?");
  CHECK(message("10.0.0.1-::1") ==
        "\"10.0.0.1-::1\" starts in one IP version and ends in the other|");
  CHECK(message("10.0.0.256") == "\"10.0.0.256\" isn't an address|");
  CHECK(message("db.example.com") ==
        "\"db.example.com\" isn't an address|host names aren't looked up: a rule must not change "
        "with a name "
        "server's answer");
}

TEST_CASE("ports and interfaces are checked") {
  CHECK(read_port_range("8000:8010") == PortRange{8000, 8010});
  CHECK(read_port_range("8000-8010") == PortRange{8000, 8010});
  CHECK(read_port_range("0") == PortRange{0, 0});
  CHECK(read_port_range("65536").error().hint == "ports are 0 to 65535");
  CHECK(read_port_range("20:10").error().hint == "did you mean 10:20?");
  CHECK_FALSE(read_port_range("080"));
  CHECK_FALSE(looks_like_port("1:2:3"));
  CHECK_FALSE(check_interface("eth0.100"));
  CHECK(check_interface("eth+")->message == "interface \"eth+\" has a wildcard");
  CHECK(check_interface("eth0:1")->hint == "write \"on eth0\" and the address");
  CHECK(check_interface("a234567890123456"));
  CHECK(check_interface("eth/0"));
  CHECK(is_set_name("ssh-admins_2"));
  CHECK_FALSE(is_set_name("2fast"));
  CHECK(merge({{90, 95}, {80, 80}, {81, 92}}) == std::vector<PortRange>{{80, 95}});
  CHECK(merge({{65535, 65535}, {0, 65535}}) == std::vector<PortRange>{{0, 65535}});
}
