#include "fwd/audit/eve_fields.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "fwd/audit/describe.h"
#include "fwd/audit/json.h"
#include "fwd/audit/text.h"

namespace fwd::audit {
namespace {

void append_side(std::string& out, std::string_view side, const rules::Address& address) {
  append_address(out.append(",\"").append(side).append(R"(_ip":")"), address);
  out.push_back('"');
}

void append_port(std::string& out, std::string_view side, std::uint16_t port) {
  json::append_number(out.append(",\"").append(side).append(R"(_port":)"), port);
}

}  // namespace

// Suricata's names (src/util-proto-name.c), which are those of /etc/protocols.
void append_protocol(std::string& out, std::uint8_t number) {
  using namespace rules::protocol;
  struct Name {
    std::uint8_t number;
    std::string_view text;
  };
  static constexpr std::array kNames = {Name{kTcp, "TCP"},   Name{kUdp, "UDP"},
                                        Name{kIcmp, "ICMP"}, Name{kIcmpv6, "IPv6-ICMP"},
                                        Name{kSctp, "SCTP"}, Name{kUdpLite, "UDPLite"},
                                        Name{kDccp, "DCCP"}, Name{kGre, "GRE"},
                                        Name{kEsp, "ESP"},   Name{kAh, "AH"}};
  out.append(R"(,"proto":")");
  const auto* found = std::ranges::find(kNames, number, &Name::number);
  if (found != kNames.end()) {
    out.append(found->text);
  } else {
    fmt::format_to(std::back_inserter(out), "{:03}", number);
  }
  out.push_back('"');
}

void append_source_address(std::string& out, const rules::Address& source) {
  append_side(out, "src", source);
}

void append_connection(std::string& out, const rules::Packet& packet) {
  append_side(out, "src", packet.source);
  if (packet.has_ports) append_port(out, "src", packet.source_port);
  append_side(out, "dest", packet.destination);
  if (packet.has_ports) append_port(out, "dest", packet.destination_port);
  append_protocol(out, packet.protocol);
  if (!packet.has_icmp) return;
  json::append_number(out.append(R"(,"icmp_type":)"), packet.icmp_type);
  json::append_number(out.append(R"(,"icmp_code":)"), packet.icmp_code);
}

void begin_flowvars(std::string& out, std::string_view dataset, std::uint64_t sequence) {
  out.append(R"(,"metadata":{"flowvars":[{"dataset":")").append(dataset);
  json::append_number(out.append(R"(","sequence":)"), sequence);
  out.append(R"(,"message":")");
}

void append_match(std::string& out, std::optional<rules::Direction> direction,
                  const rules::Packet* packet, const RuleName* rule) {
  if (direction) {
    const bool in = *direction == rules::Direction::In;
    out.append(R"(,"direction":")").append(in ? "ingress\"" : "egress\"");
  }
  if (packet != nullptr) {
    append_transport(out.append(R"(,"transport":")"), packet->protocol);
    out.push_back('"');
  }
  if (rule != nullptr) out.append(R"(,"rule":)").append(rule->object);
}

}  // namespace fwd::audit
