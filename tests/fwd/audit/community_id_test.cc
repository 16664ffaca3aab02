// The expected values are the baseline that the specification's authors publish, for seed 0.
#include "fwd/audit/community_id.h"

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

struct Case {
  std::uint8_t protocol;
  const char* source;
  const char* destination;
  std::uint16_t first;   // source port, or ICMP type
  std::uint16_t second;  // destination port, or ICMP code
  std::string_view expected;
};

rules::Packet packet_of(const Case& test) {
  rules::Packet packet =
      fwd::audit::test::tcp(test.source, test.first, test.destination, test.second);
  packet.protocol = test.protocol;
  packet.has_ports = rules::has_ports(test.protocol);
  packet.has_icmp =
      test.protocol == rules::protocol::kIcmp || test.protocol == rules::protocol::kIcmpv6;
  packet.icmp_type = static_cast<std::uint8_t>(test.first);
  packet.icmp_code = static_cast<std::uint8_t>(test.second);
  return packet;
}

// clang-format off
constexpr std::array kBaseline = {
    Case{6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    Case{6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    Case{6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    Case{6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    Case{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    Case{17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    Case{132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    Case{132, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    Case{1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    Case{1, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    Case{1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
    Case{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    Case{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    Case{58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    Case{58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 0, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    Case{58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
    Case{58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
    Case{58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
    Case{58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0, "1:pkvHqCL88/tg1k4cPigmZXUtL00="},
    Case{46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
    Case{46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
};
// clang-format on

}  // namespace

TEST_CASE("community ids are those of the specification's baseline") {
  fwd::audit::CommunityId id;
  for (const Case& test : kBaseline) {
    CAPTURE(int{test.protocol}, test.source, test.first, test.second);
    CHECK(id.of(packet_of(test)) == test.expected);
  }
}

TEST_CASE("ports of protocols that version 1 doesn't know are left out") {
  fwd::audit::CommunityId id;
  const Case one{rules::protocol::kUdpLite, "192.0.2.1", "192.0.2.2", 1000, 2000, ""};
  const Case other{rules::protocol::kUdpLite, "192.0.2.1", "192.0.2.2", 1001, 2000, ""};
  const std::string first(id.of(packet_of(one)));
  CHECK(first == id.of(packet_of(other)));
}
