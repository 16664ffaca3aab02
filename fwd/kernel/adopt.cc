#include "fwd/kernel/adopt.h"

#include "fwd/kernel/conntrack.h"
#include "fwd/kernel/route.h"
#include "fwd/kernel/sockets.h"

namespace fwd::kernel {
namespace {

rules::Packet first_packet(const LiveConnection& connection) {
  constexpr std::uint8_t kSyn = 0x02;
  rules::Packet packet;
  packet.source = connection.source();
  packet.destination = connection.destination();
  packet.protocol = connection.protocol;
  packet.hop_limit = 64;
  packet.has_ports = true;
  packet.source_port = connection.source_port();
  packet.destination_port = connection.destination_port();
  if (connection.protocol == rules::protocol::kTcp) packet.tcp_flags = kSyn;
  return packet;
}

CtTuple tuple_of(const LiveConnection& connection) {
  return {connection.protocol, connection.source(), connection.source_port(),
          connection.destination(), connection.destination_port()};
}

}  // namespace

Result<AdoptedCounts> adopt_connections(CtMark mark, Generation generation,
                                        const ConnectionJudge& allowed) {
  const auto connections = live_connections();
  if (!connections) return std::unexpected(connections.error());
  auto conntrack = Conntrack::open();
  if (!conntrack) return std::unexpected(conntrack.error());
  auto routes = Routes::open();
  if (!routes) return std::unexpected(routes.error());
  const auto entries = conntrack->list();
  if (!entries) return std::unexpected(entries.error());

  AdoptedCounts counts;
  for (const LiveConnection& connection : *connections) {
    const CtTuple tuple = tuple_of(connection);
    const auto known = entries->find(tuple);
    if (known != entries->end() && (known->second & mark.mask) != 0) continue;  // judged already
    if (entries->contains(tuple.reversed())) {
      if (auto done = conntrack->remove(tuple.reversed()); !done)
        return std::unexpected(done.error());
    }
    const bool approve = allowed(first_packet(connection), connection.direction,
                                 routes->interface_to(connection.peer));
    const auto state = approve ? ConnectionState::Approved : ConnectionState::Revoked;
    if (auto done = conntrack->put(tuple, mark, mark.encode(state, generation)); !done) {
      return std::unexpected(done.error());
    }
    ++(approve ? counts.approved : counts.revoked);
  }
  return counts;
}

}  // namespace fwd::kernel
