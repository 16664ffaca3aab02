#include "rules/packet.h"

#include <filesystem>
#include <iostream>
#include <map>

#include <catch2/catch.hpp>

#include "rules/policy.h"
#include "tests/support/packet_builder.h"
#include "tests/support/pcap.h"
#include "tests/support/shared_data.h"

using rules::decode;
using rules::Packet;
using rules::parse_address;
using tests::bytes;
using tests::DestinationOptions;
using tests::FragmentHeader;
using tests::HopByHop;
using tests::Icmp;
using tests::Icmpv6;
using tests::IPv4;
using tests::IPv6;
using tests::PacketBuilder;
using tests::Raw;
using tests::Routing;
using tests::Tcp;
using tests::Udp;
using tests::UdpLite;

namespace {

Packet decoded(const PacketBuilder& builder) {
  const auto packet = decode(bytes(builder));
  INFO("malformed: " << (packet ? "no" : to_string(packet.error())));
  REQUIRE(packet.has_value());
  return *packet;
}

// "ok", or why not.
std::string outcome(std::span<const std::byte> packet, std::size_t wire_length) {
  const auto result = decode(packet, wire_length);
  return result ? "ok" : std::string{to_string(result.error())};
}

std::string outcome(const PacketBuilder& builder) {
  const auto packet = bytes(builder);
  return outcome(packet, packet.size());
}

Raw zeros(std::uint8_t number, std::size_t size) {
  return {number, tests::ByteVector(size)};
}

// One packet of each kind, with every header that decode() knows.
std::vector<PacketBuilder> one_of_each() {
  return {
      IPv4{} / Tcp{},
      IPv4{.options = tests::to_bytes({1, 1, 1, 0})} / Tcp{},
      IPv4{} / Udp{},
      IPv4{} / UdpLite{},
      IPv4{} / tests::Sctp{},
      IPv4{} / tests::Dccp{},
      IPv4{} / Icmp{},
      IPv4{} / zeros(rules::protocol::kEsp, 8),
      IPv4{} / zeros(rules::protocol::kAh, 12),
      IPv6{} / Tcp{},
      IPv6{} / Icmpv6{.type = 135},
      IPv6{} / HopByHop{} / Udp{},
      IPv6{} / HopByHop{.units = 2} / DestinationOptions{.units = 1} /
          Routing{.units = 2, .third_byte = 4} / FragmentHeader{} / DestinationOptions{} / Tcp{},
      IPv6{} / zeros(rules::protocol::kAh, 12),
  };
}

}  // namespace

TEST_CASE("an IPv4 TCP packet gives up every field that rules look at") {
  const Packet packet = decoded(
      IPv4{.source = "192.0.2.7", .destination = "203.0.113.9", .ttl = 57} /
      Tcp{.sport = 49152, .dport = 443, .flags = 0x52} / Raw{.data = tests::to_bytes({1, 2})});
  CHECK(packet.source == parse_address("192.0.2.7"));
  CHECK(packet.destination == parse_address("203.0.113.9"));
  CHECK(packet.protocol == rules::protocol::kTcp);
  CHECK(packet.hop_limit == 57);
  REQUIRE(packet.has_ports);
  CHECK(packet.source_port == 49152);
  CHECK(packet.destination_port == 443);
  CHECK(packet.tcp_flags == 0x52);
  CHECK_FALSE(packet.has_icmp);
  CHECK(packet.length == 42);
  CHECK(packet.family() == rules::Family::V4);
}

TEST_CASE("an IPv6 UDP packet gives up every field that rules look at") {
  const Packet packet = decoded(IPv6{.source = "2001:db8:1:2:3:4:5:6", .hop_limit = 255} /
                                Udp{.sport = 546, .dport = 547});
  CHECK(packet.source == parse_address("2001:db8:1:2:3:4:5:6"));
  CHECK(packet.destination == parse_address("2001:db8:ffff::1"));
  CHECK(packet.protocol == rules::protocol::kUdp);
  CHECK(packet.hop_limit == 255);
  REQUIRE(packet.has_ports);
  CHECK(packet.source_port == 546);
  CHECK(packet.destination_port == 547);
  CHECK(packet.length == 48);
}

TEST_CASE("every protocol with ports has them, and others have none") {
  CHECK(decoded(IPv4{} / UdpLite{.dport = 7}).destination_port == 7);
  CHECK(decoded(IPv4{} / tests::Sctp{.dport = 36412}).destination_port == 36412);
  CHECK(decoded(IPv6{} / tests::Dccp{.sport = 5}).source_port == 5);
  for (const int number : {0, 2, 4, 41, 47, 50, 51, 58, 59, 112, 135, 139, 140, 255}) {
    INFO("protocol " << number);
    const Packet packet = decoded(IPv4{} / zeros(static_cast<std::uint8_t>(number), 12));
    CHECK_FALSE(packet.has_ports);
    CHECK(packet.protocol == number);
  }
}

TEST_CASE("ICMP and ICMPv6 have type and code") {
  const Packet v4 = decoded(IPv4{} / Icmp{.type = 3, .code = 4});
  REQUIRE(v4.has_icmp);
  CHECK(v4.icmp_type == 3);
  CHECK(v4.icmp_code == 4);
  CHECK_FALSE(v4.has_ports);
  const Packet v6 = decoded(IPv6{} / Icmpv6{.type = 134});
  REQUIRE(v6.has_icmp);
  CHECK(v6.icmp_type == 134);
}

TEST_CASE("the transport behind IPv6 extension headers is found") {
  CHECK(decoded(IPv6{} / HopByHop{} / Tcp{.dport = 22}).destination_port == 22);
  CHECK(decoded(IPv6{} / DestinationOptions{.units = 30} / Tcp{.dport = 22}).destination_port ==
        22);
  CHECK(decoded(IPv6{} / HopByHop{.units = 1} / Routing{.units = 2, .third_byte = 2} /
                DestinationOptions{} / Udp{.dport = 53})
            .destination_port == 53);
  CHECK(decoded(IPv6{} / FragmentHeader{.reserved = 0xff} / Tcp{.dport = 22}).destination_port ==
        22);
}

TEST_CASE("AH, mobility and no-next-header end the walk, as they do in nftables") {
  const Packet ah = decoded(
      IPv6{} / Raw{51, bytes(PacketBuilder{}.add(tests::Options<51>{.units = 1}).add(Tcp{}))});
  CHECK(ah.protocol == rules::protocol::kAh);
  CHECK_FALSE(ah.has_ports);
  CHECK(decoded(IPv6{} / tests::Mobility{} / Tcp{}).protocol == 135);
  CHECK(decoded(IPv6{} / DestinationOptions{} / Raw{}).protocol == 59);
  CHECK(decoded(IPv6{} / Raw{}).length == 40);
}

TEST_CASE("what can't be decoded says why") {
  using Row = std::pair<PacketBuilder, std::string>;
  const std::vector<Row> rows = {
      {IPv4{.ihl = 4} / Tcp{}, "header length"},
      {IPv4{.ihl = 15} / Raw{.number = 99}, "header length"},
      {IPv4{.ihl = 6, .total_length = 20} / Tcp{}, "header length"},
      {IPv4{.total_length = 0} / Tcp{}, "header length"},
      {IPv4{.total_length = 19} / Tcp{}, "header length"},
      {IPv4{.total_length = 41} / Tcp{}, "truncated"},
      {IPv4{.total_length = 39} / Tcp{}, "truncated"},
      {IPv4{.total_length = 40} / Tcp{}, "ok"},
      {IPv4{.fragment = 0x2000} / Tcp{}, "fragment"},
      {IPv4{.fragment = 0x0001} / Tcp{}, "fragment"},
      {IPv4{.fragment = 0x1fff} / Raw{}, "fragment"},
      {IPv4{.fragment = 0x4000} / Tcp{}, "ok"},
      {IPv4{.fragment = 0x8000} / Tcp{}, "ok"},
      {IPv6{.payload_length = 21} / Tcp{}, "truncated"},
      {IPv6{.payload_length = 19} / Tcp{}, "truncated"},
      {IPv6{.payload_length = 0} / Tcp{}, "truncated"},
      {IPv6{.payload_length = 0} / Raw{}, "ok"},
      {IPv6{.payload_length = 0} / HopByHop{} / Udp{}, "truncated"},
      {IPv6{} / FragmentHeader{.offset = 1} / Tcp{}, "fragment"},
      {IPv6{} / FragmentHeader{.more = true} / Tcp{}, "fragment"},
      {IPv6{} / HopByHop{} / FragmentHeader{.offset = 100} / Raw{}, "fragment"},
      {IPv6{} / HopByHop{} / HopByHop{} / Tcp{}, "header order"},
      {IPv6{} / DestinationOptions{} / HopByHop{} / Tcp{}, "header order"},
      {IPv6{} / Routing{.units = 2, .third_byte = 0} / Tcp{}, "routing header"},
      {IPv6{} / DestinationOptions{} / Routing{} / Tcp{}, "routing header"},
      {IPv6{} / Raw{0, tests::to_bytes({6, 1, 0, 0, 0, 0, 0, 0})}, "truncated"},
      {IPv4{} / Tcp{.data_offset = 4}, "header length"},
      {IPv4{} / Tcp{.data_offset = 0}, "header length"},
      {IPv4{} / Tcp{.data_offset = 6}, "truncated"},
      {IPv4{} / Tcp{.data_offset = 6} / Raw{.data = tests::to_bytes({1, 1, 1, 1})}, "ok"},
      {IPv4{} / Udp{.length = 7}, "header length"},
      {IPv4{} / Udp{.length = 0}, "header length"},
      {IPv4{} / Udp{.length = 9}, "header length"},
      {IPv4{} / Udp{.length = 8} / Raw{.data = tests::to_bytes({1})}, "ok"},
      {IPv4{} / UdpLite{.length = 0}, "ok"},
      {IPv4{} / UdpLite{.length = 7}, "header length"},
      {IPv4{} / UdpLite{.length = 9}, "header length"},
      {IPv4{} / zeros(1, 7), "truncated"},
      {IPv4{} / zeros(132, 11), "truncated"},
      {IPv4{} / zeros(132, 12), "ok"},
      {IPv4{} / zeros(50, 7), "truncated"},
  };
  for (const auto& [packet, expected] : rows) {
    INFO("row " << &packet - &rows.front().first);
    CHECK(outcome(packet) == expected);
  }
}

TEST_CASE("the version must be 4 or 6") {
  auto packet = bytes(IPv4{} / Tcp{});
  for (unsigned version = 0; version < 16; ++version) {
    packet[0] = static_cast<std::byte>(version << 4U | 5U);
    INFO("version " << version);
    CHECK((outcome(packet, packet.size()) == "version") == (version != 4 && version != 6));
  }
  CHECK(outcome({}, 0) == "empty");
  CHECK(outcome({}, 40) == "empty");
  CHECK(outcome(packet, 0) == "empty");
}

TEST_CASE("eight extension headers pass and nine don't") {
  PacketBuilder packet = IPv6{} / HopByHop{};
  for (int count = 1; count < 8; ++count) packet.add(DestinationOptions{});
  CHECK(outcome(PacketBuilder{packet}.add(Tcp{})) == "ok");
  CHECK(outcome(PacketBuilder{packet}.add(DestinationOptions{}).add(Tcp{})) == "too many headers");
}

TEST_CASE("bytes below the IP packet, such as Ethernet padding, don't count") {
  auto packet = bytes(IPv4{} / zeros(1, 4));
  packet.resize(packet.size() + 20);
  CHECK(outcome(packet, packet.size()) == "truncated");
}

TEST_CASE("a packet cut behind its transport header decodes as the whole one") {
  const auto packet = bytes(IPv6{} / Tcp{.dport = 22, .data_offset = 8} / zeros(0, 1400));
  const auto whole = decode(packet);
  const auto cut = decode(std::span{packet}.first(60), packet.size());
  REQUIRE(whole.has_value());
  REQUIRE(cut.has_value());
  CHECK(cut->destination_port == 22);
  CHECK(cut->length == whole->length);
}

TEST_CASE("a length field of 0 is right only for a packet too long for it") {
  const auto v6 = bytes(IPv6{.payload_length = 0} / Tcp{});
  const auto v4 = bytes(IPv4{.total_length = 0} / Tcp{});
  CHECK(outcome(v6, 0xffff) == "truncated");
  CHECK(outcome(v4, 0xffff) == "header length");
  for (const auto& packet : {v4, v6}) {
    const auto big = decode(packet, 100000);
    REQUIRE(big.has_value());
    CHECK(big->length == 100000);
  }
}

TEST_CASE("a packet cut at any byte is truncated until all its headers are there") {
  for (const auto& builder : one_of_each()) {
    const auto packet = bytes(builder);
    REQUIRE(outcome(packet, packet.size()) == "ok");
    bool complete = false;
    for (std::size_t size = 0; size < packet.size(); ++size) {
      // A copy of exactly this size, so that ASan sees a read beyond it.
      const std::vector<std::byte> cut(packet.begin(),
                                       packet.begin() + static_cast<std::ptrdiff_t>(size));
      INFO("cut to " << size << " of " << packet.size());
      CHECK(outcome(cut, size) != "ok");
      const std::string result = outcome(cut, packet.size());
      complete = complete || result == "ok";
      CHECK(result == (complete ? "ok" : size == 0 ? "empty" : "truncated"));
    }
  }
}

TEST_CASE("changing any one byte never makes a packet with holes") {
  for (const auto& builder : one_of_each()) {
    const auto original = bytes(builder);
    for (std::size_t at = 0; at < original.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        auto packet = original;
        packet[at] = static_cast<std::byte>(value);
        const auto result = decode(packet);
        if (!result) continue;
        REQUIRE(result->has_ports == rules::has_ports(result->protocol));
        REQUIRE(result->length <= packet.size());
        REQUIRE(result->source.family == result->destination.family);
      }
    }
  }
}

namespace {

using Counts = std::map<std::string, int>;

// Every frame from its IP header on, or where there is none all of it: then it's just odd bytes.
Counts replay(const tests::Capture& capture) {
  Counts counts;
  for (const auto& frame : capture.frames) {
    const std::size_t offset = capture.ip_offset(frame).value_or(0);
    const auto from_ip = frame.from(offset);
    const std::vector<std::byte> exact(from_ip.begin(), from_ip.end());
    ++counts[outcome(exact, frame.wire_length > offset ? frame.wire_length - offset : 0)];
  }
  return counts;
}

int total(const Counts& counts) {
  int sum = 0;
  for (const auto& [result, count] : counts) sum += count;
  return sum;
}

}  // namespace

TEST_CASE("captures of evasion attempts come out as they should") {
  const auto folder = tests::shared_data("pcap/generated-evasion");
  if (!folder) {
    WARN("skipped: no captures");
    return;
  }
  const std::map<std::string, Counts> expected = {
      {"v4_fragmented_syn_8", {{"fragment", 11}}},
      {"v4_frag_offset1_rfc3128", {{"fragment", 2}}},
      {"v4_frag_ports_rewrite", {{"fragment", 3}}},
      {"v6_frag_noL4", {{"fragment", 2}}},
      {"v6_frag_syn8", {{"fragment", 3}}},
      {"v6_frag_atomic", {{"ok", 3}}},
      {"v4_tcp_all_flags", {{"ok", 512}}},
      {"v4_tcp_trunc", {{"truncated", 20}}},
      {"v4_trunc", {{"empty", 1}, {"ok", 1}, {"truncated", 39}}},
      {"v6_trunc", {{"empty", 1}, {"ok", 1}, {"truncated", 59}}},
      {"v4_icmp_types", {{"ok", 768}}},
      {"v6_icmp6_types", {{"ok", 768}}},
      {"v6_rt_types", {{"ok", 21}, {"routing header", 3}}},
      {"v6_nonh", {{"ok", 3}}},
  };
  for (const auto& [name, counts] : expected) {
    const auto capture = tests::read_pcap(*folder / (name + ".pcap"));
    INFO(name);
    REQUIRE(capture.has_value());
    CHECK(replay(*capture) == counts);
  }
}

TEST_CASE("every capture at hand goes through decode() without harm") {
  const auto folder = tests::shared_data("pcap");
  if (!folder) {
    WARN("skipped: no captures");
    return;
  }
  int frames = 0;
  int unreadable = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
    if (!entry.is_regular_file()) continue;
    const auto capture = tests::read_pcap(entry.path());
    if (capture) frames += total(replay(*capture));
    unreadable += capture ? 0 : 1;
  }
  std::cerr << "decoded " << frames << " captured frames; skipped: " << unreadable
            << " files that aren't pcap\n";
  CHECK(frames > 10000);
}
