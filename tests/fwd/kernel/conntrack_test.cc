#include "fwd/kernel/conntrack.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>

#include "fwd/owned.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;

namespace {

using EntryPtr = fwd::Owned<nf_conntrack, nfct_destroy>;
using HandlePtr = fwd::Owned<nfct_handle, nfct_close>;

// Of what Conntrack::put() doesn't make: other protocols and zones.
void create(std::uint8_t family, std::uint8_t protocol, std::uint16_t zone, std::uint32_t mark) {
  const EntryPtr entry(nfct_new());
  const bool ipv4 = family == AF_INET;
  std::array<in6_addr, 2> addresses{};  // the peer's and the host's
  REQUIRE(inet_pton(family, ipv4 ? "203.0.113.7" : "2001:db8:1::7", &addresses[0]) == 1);
  REQUIRE(inet_pton(family, ipv4 ? "192.0.2.1" : "2001:db8::1", &addresses[1]) == 1);
  for (const auto attribute : {ATTR_ORIG_L3PROTO, ATTR_REPL_L3PROTO})
    nfct_set_attr_u8(entry.get(), attribute, family);
  for (const auto attribute : {ATTR_ORIG_L4PROTO, ATTR_REPL_L4PROTO})
    nfct_set_attr_u8(entry.get(), attribute, protocol);
  nfct_set_attr(entry.get(), ipv4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC, &addresses[0]);
  nfct_set_attr(entry.get(), ipv4 ? ATTR_ORIG_IPV4_DST : ATTR_ORIG_IPV6_DST, &addresses[1]);
  nfct_set_attr(entry.get(), ipv4 ? ATTR_REPL_IPV4_SRC : ATTR_REPL_IPV6_SRC, &addresses[1]);
  nfct_set_attr(entry.get(), ipv4 ? ATTR_REPL_IPV4_DST : ATTR_REPL_IPV6_DST, &addresses[0]);
  if (protocol == IPPROTO_UDP) {
    for (const auto attribute : {ATTR_ORIG_PORT_SRC, ATTR_REPL_PORT_DST})
      nfct_set_attr_u16(entry.get(), attribute, htons(51514));
    for (const auto attribute : {ATTR_ORIG_PORT_DST, ATTR_REPL_PORT_SRC})
      nfct_set_attr_u16(entry.get(), attribute, htons(53));
  } else {
    nfct_set_attr_u8(entry.get(), ATTR_ICMP_TYPE, ipv4 ? 8 : 128);  // echo
    nfct_set_attr_u16(entry.get(), ATTR_ICMP_ID, htons(77));
  }
  nfct_set_attr_u32(entry.get(), ATTR_TIMEOUT, 60);
  nfct_set_attr_u32(entry.get(), ATTR_MARK, mark);
  if (zone != 0) nfct_set_attr_u16(entry.get(), ATTR_ZONE, zone);
  const HandlePtr handle(nfct_open(CONNTRACK, 0));
  REQUIRE(handle);
  REQUIRE(nfct_query(handle.get(), NFCT_Q_CREATE, entry.get()) == 0);
}

std::vector<std::uint32_t> marks(Conntrack& conntrack) {
  std::vector<std::uint32_t> found;
  const auto read = [&](const CtConnection& connection) {
    found.push_back(connection.mark);
    return std::nullopt;
  };
  REQUIRE(conntrack.mark_all(0, read));
  std::ranges::sort(found);
  return found;
}

}  // namespace

TEST_CASE("an entry of any protocol and zone gets its own mark, in the mask's bits alone") {
  support::in_new_netns([] {
    create(AF_INET, IPPROTO_UDP, 0, 0xf01);
    create(AF_INET, IPPROTO_UDP, 7, 2);  // the same connection in another zone
    create(AF_INET, IPPROTO_ICMP, 0, 3);
    create(AF_INET, IPPROTO_ICMP, 7, 4);
    create(AF_INET6, IPPROTO_UDP, 0, 5);
    create(AF_INET6, IPPROTO_UDP, 7, 6);
    create(AF_INET6, IPPROTO_ICMPV6, 0, 7);
    create(AF_INET6, IPPROTO_ICMPV6, 7, 8);
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    REQUIRE(conntrack->mark_all(0xf0, [](const CtConnection& connection) {
      return connection.mark == 8 ? std::nullopt : std::optional(connection.mark << 4U);
    }));
    CHECK(marks(*conntrack) ==
          std::vector<std::uint32_t>{0x08, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0xf11});
  });
}
