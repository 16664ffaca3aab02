#include "fwd/kernel/conntrack_entry.h"

#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "fwd/kernel/attributes.h"
#include "fwd/owned.h"

using namespace fwd::kernel;

namespace {

using EntryPtr = fwd::Owned<nf_conntrack, nfct_destroy>;

rules::Address address(const char* text) {
  return *rules::parse_address(text);
}

// As ctnetlink writes it; libnetfilter_conntrack writes all but what only the kernel knows.
class Message {
 public:
  explicit Message(std::uint8_t family = AF_INET, unsigned type = IPCTNL_MSG_CT_DELETE)
      : entry_(nfct_new()), ipv4_(family == AF_INET) {
    mnl_nlmsg_put_header(buffer_.data());
    header()->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | type);
    auto* families = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header(), sizeof(nfgenmsg)));
    families->nfgen_family = family;
  }

  Message& from(const char* source, const char* destination, std::uint8_t protocol) {
    nfct_set_attr_u8(entry(), ATTR_ORIG_L3PROTO, ipv4_ ? AF_INET : AF_INET6);
    nfct_set_attr_u8(entry(), ATTR_ORIG_L4PROTO, protocol);
    set_address(ipv4_ ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC, source);
    set_address(ipv4_ ? ATTR_ORIG_IPV4_DST : ATTR_ORIG_IPV6_DST, destination);
    return *this;
  }
  Message& replies(const char* source, const char* destination, std::uint8_t protocol) {
    nfct_set_attr_u8(entry(), ATTR_REPL_L3PROTO, ipv4_ ? AF_INET : AF_INET6);
    nfct_set_attr_u8(entry(), ATTR_REPL_L4PROTO, protocol);
    set_address(ipv4_ ? ATTR_REPL_IPV4_SRC : ATTR_REPL_IPV6_SRC, source);
    set_address(ipv4_ ? ATTR_REPL_IPV4_DST : ATTR_REPL_IPV6_DST, destination);
    return *this;
  }
  Message& number(nf_conntrack_attr attribute, std::uint16_t value) {
    nfct_set_attr_u16(entry(), attribute, htons(value));
    return *this;
  }
  Message& byte(nf_conntrack_attr attribute, std::uint8_t value) {
    nfct_set_attr_u8(entry(), attribute, value);
    return *this;
  }
  Message& mark(std::uint32_t value) {
    nfct_set_attr_u32(entry(), ATTR_MARK, value);
    return *this;
  }

  Message& built() {
    REQUIRE(nfct_nlmsg_build(header(), entry()) >= 0);
    return *this;
  }
  // Behind built().
  Message& pair_of_numbers(unsigned nest, std::uint64_t first, std::uint64_t second) {
    nlattr* nested = mnl_attr_nest_start(header(), static_cast<std::uint16_t>(nest));
    mnl_attr_put_u64(header(), 1, htobe64(first));
    mnl_attr_put_u64(header(), 2, htobe64(second));
    mnl_attr_nest_end(header(), nested);
    return *this;
  }

  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }
  std::span<const std::byte> bytes() {
    return std::as_bytes(std::span(buffer_)).first(header()->nlmsg_len);
  }
  std::optional<CtEntry> parsed() { return parse_entry(bytes()); }

 private:
  nf_conntrack* entry() { return entry_.get(); }
  void set_address(nf_conntrack_attr attribute, const char* text) {
    in6_addr bytes{};
    REQUIRE(inet_pton(ipv4_ ? AF_INET : AF_INET6, text, &bytes) == 1);
    nfct_set_attr(entry(), attribute, &bytes);
  }

  EntryPtr entry_;
  bool ipv4_;
  alignas(nlmsghdr) std::array<char, 4096> buffer_{};
};

Message tcp() {
  Message message;
  message.from("203.0.113.7", "192.0.2.1", IPPROTO_TCP)
      .replies("10.0.0.5", "203.0.113.7", IPPROTO_TCP)
      .number(ATTR_ORIG_PORT_SRC, 51514)
      .number(ATTR_ORIG_PORT_DST, 80)
      .number(ATTR_REPL_PORT_SRC, 8080)
      .number(ATTR_REPL_PORT_DST, 51514)
      .byte(ATTR_TCP_STATE, TCP_CONNTRACK_TIME_WAIT)
      .mark(0x12345678)
      .built()
      .pair_of_numbers(CTA_COUNTERS_ORIG, 3, 180)
      .pair_of_numbers(CTA_COUNTERS_REPLY, 2, 1ULL << 40)
      .pair_of_numbers(CTA_TIMESTAMP, 1'700'000'000'000'000'001, 1'700'000'000'000'000'002);
  return message;
}

}  // namespace

TEST_CASE("an entry says both directions, its mark, its state, its counts and times") {
  Message message = tcp();
  const auto entry = message.parsed();
  REQUIRE(entry);
  CHECK(entry->original ==
        CtTuple{IPPROTO_TCP, address("203.0.113.7"), 51514, address("192.0.2.1"), 80});
  CHECK(entry->reply ==
        CtTuple{IPPROTO_TCP, address("10.0.0.5"), 8080, address("203.0.113.7"), 51514});
  CHECK(entry->mark == 0x12345678);
  CHECK(entry->tcp_state == TCP_CONNTRACK_TIME_WAIT);
  REQUIRE(entry->counts);
  CHECK(entry->counts->original.packets == 3);
  CHECK(entry->counts->original.bytes == 180);
  CHECK(entry->counts->reply.packets == 2);
  CHECK(entry->counts->reply.bytes == 1ULL << 40);
  CHECK(entry->start_ns == 1'700'000'000'000'000'001);
  CHECK(entry->stop_ns == 1'700'000'000'000'000'002);
}

TEST_CASE("a first packet goes to where the replies come from") {
  const auto packet = first_packet(*tcp().parsed());
  CHECK(packet.source == address("203.0.113.7"));
  CHECK(packet.source_port == 51514);
  CHECK(packet.destination == address("10.0.0.5"));
  CHECK(packet.destination_port == 8080);
  CHECK(packet.protocol == IPPROTO_TCP);
  CHECK(packet.tcp_flags == 0x02);
}

TEST_CASE("a first packet of ICMP has the original direction's type and code") {
  const auto [family, protocol, host, peer] =
      GENERATE(table<std::uint8_t, std::uint8_t, const char*, const char*>(
          {{AF_INET, IPPROTO_ICMP, "192.0.2.1", "203.0.113.7"},
           {AF_INET6, IPPROTO_ICMPV6, "2001:db8::1", "2001:db8:1::7"}}));
  Message message(family);
  message.from(peer, host, protocol)
      .replies(host, peer, protocol)
      .byte(ATTR_ICMP_TYPE, 128)
      .byte(ATTR_ICMP_CODE, 9)
      .number(ATTR_ICMP_ID, 77)
      .built();
  const auto entry = message.parsed();
  REQUIRE(entry);
  CHECK(!entry->tcp_state);
  CHECK(!entry->counts);
  CHECK(!entry->start_ns);
  CHECK(entry->original_attribute.size() > 0);
  CHECK(entry->zone_attribute.empty());
  const auto packet = first_packet(*entry);
  CHECK(packet.source == address(peer));
  CHECK(packet.destination == address(host));
  CHECK(packet.protocol == protocol);
  CHECK(packet.has_icmp);
  CHECK(packet.icmp_type == 128);
  CHECK(packet.icmp_code == 9);
  CHECK(!packet.has_ports);
}

TEST_CASE("counts of one direction alone are none, and so is a time of 0") {
  Message message;
  message.from("203.0.113.7", "192.0.2.1", IPPROTO_UDP)
      .replies("192.0.2.1", "203.0.113.7", IPPROTO_UDP)
      .built()
      .pair_of_numbers(CTA_COUNTERS_ORIG, 3, 180)
      .pair_of_numbers(CTA_TIMESTAMP, 0, 0);
  const auto entry = message.parsed();
  REQUIRE(entry);
  CHECK(!entry->counts);
  CHECK(!entry->start_ns);
  CHECK(!entry->stop_ns);
}

TEST_CASE("a message that isn't an entry says nothing") {
  CHECK(!parse_entry({}));
  CHECK(!Message(AF_INET).parsed());
  Message without_replies;
  CHECK(!without_replies.from("203.0.113.7", "192.0.2.1", IPPROTO_TCP).built().parsed());
  Message other = tcp();
  other.header()->nlmsg_type = NFNL_SUBSYS_QUEUE << 8U | IPCTNL_MSG_CT_DELETE;
  CHECK(!other.parsed());
}

TEST_CASE("a message that is cut short says what is whole, and is never read beyond its end") {
  Message message = tcp();
  const std::vector<std::byte> whole(message.bytes().begin(), message.bytes().end());
  const auto end_of = [&](unsigned wanted) {
    std::size_t end = 0;
    for_each_attribute(std::span(whole).subspan(sizeof(nlmsghdr) + sizeof(nfgenmsg)),
                       [&](unsigned type, std::span<const std::byte> value) {
                         if (type == wanted)
                           end =
                               static_cast<std::size_t>(value.data() - whole.data()) + value.size();
                       });
    REQUIRE(end > 0);
    return end;
  };
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(!parse_entry(cut));  // its header says that it is longer
    if (length < sizeof(nlmsghdr)) continue;
    const auto said = static_cast<std::uint32_t>(length);
    std::memcpy(cut.data(), &said, sizeof said);
    const auto entry = parse_entry(cut);
    CHECK(entry.has_value() == (length >= end_of(CTA_TUPLE_REPLY)));
    if (!entry) continue;
    CHECK(entry->counts.has_value() == (length >= end_of(CTA_COUNTERS_REPLY)));
    CHECK(entry->stop_ns.has_value() == (length >= end_of(CTA_TIMESTAMP)));
  }
}

TEST_CASE("an entry whose directions are of different IP versions says nothing") {
  Message message;
  message.from("203.0.113.7", "192.0.2.1", IPPROTO_TCP).built();
  Message other(AF_INET6);
  other.from("2001:db8::1", "2001:db8:1::7", IPPROTO_TCP)
      .replies("2001:db8:1::7", "2001:db8::1", IPPROTO_TCP)
      .built();
  CHECK(other.parsed());
  const auto attributes = other.bytes().subspan(sizeof(nlmsghdr) + sizeof(nfgenmsg));
  for_each_attribute(attributes, [&](unsigned type, std::span<const std::byte> value) {
    if (type == CTA_TUPLE_REPLY)
      mnl_attr_put(message.header(), CTA_TUPLE_REPLY, value.size(), value.data());
  });
  CHECK(!message.parsed());
}

TEST_CASE("a message with any byte changed is never read beyond its end") {
  Message message = tcp();
  const std::vector<std::byte> whole(message.bytes().begin(), message.bytes().end());
  std::size_t understood = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned value : {0U, 1U, 4U, 0x7fU, 0xffU}) {
      std::vector<std::byte> changed = whole;
      changed[at] = static_cast<std::byte>(value);
      understood += parse_entry(changed) ? 1 : 0;
    }
  }
  CHECK(understood > whole.size());
}
