#include "rules/service_map.h"

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"

using namespace rules;

namespace {

ServiceMap map_of(const std::string& policy, std::size_t most = 99) {
  const auto resolved = tests::resolve_tree(tests::tree_of(policy));
  REQUIRE(resolved);
  return make_service_map(resolved->policy.rules, tests::services(), most);
}

std::string service(const ServiceMap& map, std::uint8_t protocol, std::uint16_t port) {
  return map.names()[map.find(protocol, port)];
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("each port that a rule for incoming packets names is a service") {
  const auto map = map_of(
      "allow in 443,80,8080/tcp\ndeny in 53/udp\nallow out 25/tcp\nallow in from 192.0.2.1\n");
  CHECK(map.names() == Words{"other", "http", "https", "8080", "domain"});
  CHECK(service(map, protocol::kTcp, 80) == "http");
  CHECK(service(map, protocol::kTcp, 443) == "https");
  CHECK(service(map, protocol::kTcp, 8080) == "8080");
  CHECK(service(map, protocol::kUdp, 53) == "domain");
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{0, 25, 79, 81, 442, 444, 8079, 8081, 65535})
    CHECK(service(map, protocol::kTcp, port) == "other");
  CHECK(service(map, protocol::kTcp, 53) == "other");
  CHECK(service(map, protocol::kUdp, 80) == "other");
}

TEST_CASE("without a rule every port is of another service") {
  const auto map = map_of("default deny in\n");
  CHECK(map.names() == Words{"other"});
  CHECK(service(map, protocol::kTcp, 80) == "other");
  CHECK(ServiceMap{}.find(protocol::kTcp, 80) == ServiceMap::kOther);
}

TEST_CASE("a rule that names a port but no protocol is about TCP and UDP, by one name") {
  const auto map = map_of("allow in 22\n");
  CHECK(map.names() == Words{"other", "ssh"});
  CHECK(service(map, protocol::kTcp, 22) == "ssh");
  CHECK(service(map, protocol::kUdp, 22) == "ssh");
  CHECK(service(map, protocol::kSctp, 22) == "other");
}

TEST_CASE("of overlapping ranges the narrowest counts, wherever it stands") {
  for (const char* policy :
       {"allow in 8000:9000/tcp\nallow in 8080/tcp\nallow in 8070:8090/tcp\n",
        "allow in 8080/tcp\nallow in 8070:8090/tcp\nallow in 8000:9000/tcp\n"}) {
    const auto map = map_of(policy);
    CHECK(service(map, protocol::kTcp, 7999) == "other");
    CHECK(service(map, protocol::kTcp, 8000) == "8000:9000");
    CHECK(service(map, protocol::kTcp, 8070) == "8070:8090");
    CHECK(service(map, protocol::kTcp, 8080) == "8080");
    CHECK(service(map, protocol::kTcp, 8081) == "8070:8090");
    CHECK(service(map, protocol::kTcp, 9000) == "8000:9000");
    CHECK(service(map, protocol::kTcp, 9001) == "other");
  }
}

TEST_CASE("a range to the last port ends with its protocol") {
  const auto map = map_of("allow in 60000:65535/tcp\n");
  CHECK(service(map, protocol::kTcp, 65535) == "60000:65535");
  CHECK(service(map, protocol::kUdp, 0) == "other");
  CHECK(service(map, protocol::kUdp, 65535) == "other");
}

TEST_CASE("no more services than asked for, the first ones of the policy") {
  const auto map =
      map_of("allow in 80/tcp\nallow in 81/tcp\nallow in 82/tcp\nallow in 80/udp\n", 3);
  CHECK(map.names() == Words{"other", "http", "81"});
  CHECK(service(map, protocol::kTcp, 81) == "81");
  CHECK(service(map, protocol::kTcp, 82) == "other");
  CHECK(service(map, protocol::kUdp, 80) == "http");
}

TEST_CASE("a service whose name is no word goes by its number") {
  const Services services = parse_services("a\"b 80/tcp\n\xff\xfe 81/tcp\nip-v6.x_y+z 82/tcp\n");
  const auto resolved =
      tests::resolve_tree(tests::tree_of("allow in 80,82/tcp\nallow in 81/tcp\n"));
  REQUIRE(resolved);
  CHECK(make_service_map(resolved->policy.rules, services, 9).names() ==
        Words{"other", "80", "ip-v6.x_y+z", "81"});
}

TEST_CASE("a port goes by the first name that it has, of its own protocol if there is one") {
  const Services services =
      parse_services("shell 514/tcp cmd\nsyslog 514/udp\nhttp 80/tcp www\nother-http 80/tcp\n");
  CHECK(*services.name_of(514, protocol::kTcp) == "shell");
  CHECK(*services.name_of(514, protocol::kUdp) == "syslog");
  CHECK(*services.name_of(80, protocol::kTcp) == "http");
  CHECK(*services.name_of(80, protocol::kUdp) == "http");
  CHECK(services.name_of(81, protocol::kTcp) == nullptr);
}

TEST_CASE("a rule that is added brings its ports, and only new ones have the others looked at") {
  const auto added = [](const std::string& policy, std::size_t most = 99) {
    const auto resolved = tests::resolve_tree(tests::tree_of(policy));
    REQUIRE(resolved);
    RuleList rules = resolved->policy.rules;
    rules.erase(rules.size() - 1);
    const auto before = make_service_map(rules, tests::services(), most);
    return add_services(before, resolved->policy.rules, rules.size(), tests::services(), most);
  };
  const auto same = added("allow in 80/tcp\ndeny in proto tcp from 192.0.2.1 to any port 80\n");
  CHECK(same.names() == Words{"other", "http"});
  CHECK(added("allow in 80/tcp\nallow out 25/tcp\n").names() == Words{"other", "http"});
  CHECK(added("allow in 80/tcp\nallow in 81/tcp\n").names() == Words{"other", "http", "81"});
  CHECK(added("allow in 80/tcp\nallow in 81/tcp\n", 2).names() == Words{"other", "http"});

  const auto protocol_too = added("allow in 53/tcp\nallow in 53/udp\n");
  CHECK(protocol_too.names() == Words{"other", "domain"});
  CHECK(service(protocol_too, protocol::kUdp, 53) == "domain");
  const auto narrower = added("allow in 8000:9000/tcp\nallow in 8080/tcp\n");
  CHECK(service(narrower, protocol::kTcp, 8080) == "8080");
  const auto wider = added("allow in 8080/tcp\nallow in 8080:8090/tcp\n");
  CHECK(service(wider, protocol::kTcp, 8081) == "8080:8090");
}
