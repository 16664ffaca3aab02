#include "fwd/kernel/conntrack.h"

#include <algorithm>
#include <utility>
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
void create(std::uint8_t protocol, std::uint16_t zone, std::uint32_t mark) {
  const EntryPtr entry(nfct_new());
  const in_addr_t peer = inet_addr("203.0.113.7");
  const in_addr_t host = inet_addr("192.0.2.1");
  for (const auto attribute : {ATTR_ORIG_L3PROTO, ATTR_REPL_L3PROTO})
    nfct_set_attr_u8(entry.get(), attribute, AF_INET);
  for (const auto attribute : {ATTR_ORIG_L4PROTO, ATTR_REPL_L4PROTO})
    nfct_set_attr_u8(entry.get(), attribute, protocol);
  for (const auto attribute : {ATTR_ORIG_IPV4_SRC, ATTR_REPL_IPV4_DST})
    nfct_set_attr_u32(entry.get(), attribute, peer);
  for (const auto attribute : {ATTR_ORIG_IPV4_DST, ATTR_REPL_IPV4_SRC})
    nfct_set_attr_u32(entry.get(), attribute, host);
  if (protocol == IPPROTO_ICMP) {
    nfct_set_attr_u8(entry.get(), ATTR_ICMP_TYPE, 8);
    nfct_set_attr_u16(entry.get(), ATTR_ICMP_ID, htons(77));
  } else {
    for (const auto attribute : {ATTR_ORIG_PORT_SRC, ATTR_REPL_PORT_DST})
      nfct_set_attr_u16(entry.get(), attribute, htons(51514));
    for (const auto attribute : {ATTR_ORIG_PORT_DST, ATTR_REPL_PORT_SRC})
      nfct_set_attr_u16(entry.get(), attribute, htons(53));
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

TEST_CASE("an entry of any protocol and zone gets its own mark") {
  support::in_new_netns([] {
    create(IPPROTO_UDP, 0, 1);
    create(IPPROTO_UDP, 7, 2);  // the same connection in another zone
    create(IPPROTO_ICMP, 0, 3);
    create(IPPROTO_ICMP, 7, 4);
    auto conntrack = Conntrack::open();
    REQUIRE(conntrack);
    REQUIRE(conntrack->mark_all(
        0xf0, [](const CtConnection& connection) { return std::optional(connection.mark << 4U); }));
    CHECK(marks(*conntrack) == std::vector<std::uint32_t>{0x11, 0x22, 0x33, 0x44});
  });
}
