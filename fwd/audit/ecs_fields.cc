#include "fwd/audit/ecs_fields.h"

#include <string_view>

#include "fwd/audit/describe.h"
#include "fwd/audit/json.h"
#include "fwd/audit/text.h"

namespace fwd::audit {
namespace {

void append_side(std::string& out, std::string_view key, const rules::Address& address,
                 const rules::Packet& packet, std::uint16_t port) {
  out.append("\"").append(key).append(R"(":{"ip":")");
  append_address(out, address);
  out.push_back('"');
  if (packet.has_ports) json::append_number(out.append(R"(,"port":)"), port);
}

}  // namespace

void append_rule(std::string& out, std::uint64_t policy_version, const RuleName* rule) {
  out.append(R"(,"rule":)");
  if (rule != nullptr) {
    out.append(rule->object);
    return;
  }
  json::append_number(out.append(R"({"version":")"), policy_version);
  out.append("\"}");
}

void append_network(std::string& out, const rules::Packet* packet,
                    std::optional<rules::Direction> direction) {
  out.append(R"(,"network":{)");
  if (packet != nullptr) {
    const bool v4 = packet->family() == rules::Family::V4;
    out.append(R"("type":")").append(v4 ? "ipv4" : "ipv6").append("\"");
    append_transport(out.append(R"(,"transport":")"), packet->protocol);
    json::append_number(out.append(R"(","iana_number":")"), packet->protocol);
    out.push_back('"');
    if (direction) out.push_back(',');
  }
  if (!direction) return;
  out.append(R"("direction":")");
  out.append(*direction == rules::Direction::In ? "ingress\"" : "egress\"");
}

void append_source(std::string& out, const rules::Packet& packet) {
  append_side(out, "source", packet.source, packet, packet.source_port);
}

void append_destination(std::string& out, const rules::Packet& packet) {
  append_side(out, "destination", packet.destination, packet, packet.destination_port);
}

}  // namespace fwd::audit
