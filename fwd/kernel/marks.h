// How a packet and a connection carry what we know of them: the layouts of skb->priority and of the
// ct mark.
//
// A packet's class travels to the worker, and the worker's verdict back to chain B, in
// skb->priority. It isn't the packet's mark because the kernel routes an outgoing packet again when
// its mark changes (net/netfilter/nf_nat_proto.c, ip_route_me_harder), and because NFQA_CT is
// missing on kernels without CONFIG_NETFILTER_NETLINK_GLUE_CT. All values are in host byte order.
#pragma once

#include <cstdint>
#include <optional>

namespace fwd::kernel {

// What chain A says of a packet that is to be judged.
enum class PacketClass : std::uint8_t {
  New = 1,     // conntrack's state new: the first packet of a connection
  Again,       // of a connection that has no current verdict, in its original direction
  AgainReply,  // likewise, in the reply direction
  Related,     // an ICMP error about a connection, or the first packet of an expected connection
  Untracked,
  Invalid,  // conntrack could not place it
};
// Before it has a class, and of a packet that isn't queued: the kernel's copy decides.
inline constexpr std::uint32_t kToJudge = 7U << 28;

// What a worker says of a packet that it accepts. A packet to drop is dropped at the queue.
enum class VerdictKind : std::uint8_t {
  Approve = 8,  // stamp the connection approved, let the packet through
  Pass,         // let this packet through, stamp nothing
  Revoke,       // stamp the connection revoked, drop
  Reject,       // answer with a TCP reset or ICMP admin-prohibited, drop
  Limit,        // let the meter of the slot's rule decide
};

// 1 to 63; wraps from 63 to 1. 0 is never a generation, so an unmarked packet or connection has
// none.
using Generation = std::uint8_t;
inline constexpr Generation kLastGeneration = 63;
constexpr Generation next(Generation generation) {
  return generation >= kLastGeneration ? Generation{1} : static_cast<Generation>(generation + 1);
}

// The k-th `limit` rule of a policy, from 1; 0 where there is none.
using LimitSlot = std::uint16_t;
inline constexpr LimitSlot kLastLimitSlot = 1023;

// skb->priority: kind (31-28), generation (27-22), limit slot (21-12). The low 12 bits belong to
// others; of what comes in rules/kernel_fronts.h may clear them.
inline constexpr std::uint32_t kPriorityMask = 0xfffff000;
inline constexpr std::uint32_t kKindMask = 0xf0000000;
inline constexpr std::uint32_t kGenerationMask = 0x0fc00000;
inline constexpr std::uint32_t kSlotMask = 0x003ff000;

constexpr std::uint32_t encode_class(PacketClass packet_class) {
  return static_cast<std::uint32_t>(packet_class) << 28;
}

constexpr std::uint32_t encode_verdict(VerdictKind kind, Generation generation,
                                       LimitSlot slot = 0) {
  return static_cast<std::uint32_t>(kind) << 28 | static_cast<std::uint32_t>(generation) << 22 |
         static_cast<std::uint32_t>(slot) << 12;
}

// `priority` is the packet's own: its low bits are kept.
constexpr std::uint32_t with_verdict(std::uint32_t priority, std::uint32_t verdict) {
  return (priority & ~kPriorityMask) | verdict;
}

// Nothing for bits that chain A doesn't write: such a packet came past our chain and is judged as
// untracked.
constexpr std::optional<PacketClass> decode_class(std::uint32_t priority) {
  const std::uint32_t kind = priority >> 28;
  if (kind < static_cast<std::uint32_t>(PacketClass::New) ||
      kind > static_cast<std::uint32_t>(PacketClass::Invalid)) {
    return std::nullopt;
  }
  return static_cast<PacketClass>(kind);
}

enum class ConnectionState : std::uint8_t {
  None = 0,
  Approved = 1,
  Revoked = 2,
  Lapsed = 3,  // approved under an older generation, and a packet of it goes to be judged again
};

constexpr bool approved_once(ConnectionState state) {
  return state == ConnectionState::Approved || state == ConnectionState::Lapsed;
}

struct ConnectionVerdict {
  ConnectionState state = ConnectionState::None;
  Generation generation = 0;

  bool operator==(const ConnectionVerdict&) const = default;
};

// Eight adjacent bits of the ct mark: state (2) above generation (6). The other bits belong to
// others and are kept.
struct CtMark {
  std::uint32_t mask = 0xff000000;  // exactly eight adjacent bits

  constexpr unsigned shift() const { return static_cast<unsigned>(__builtin_ctz(mask)); }
  constexpr std::uint32_t encode(ConnectionState state, Generation generation) const {
    return (static_cast<std::uint32_t>(state) << 6 | generation) << shift();
  }
  constexpr std::uint32_t state_mask() const { return encode(ConnectionState{3}, 0); }
  // Set in Approved and Lapsed only.
  constexpr std::uint32_t approved_once_bit() const { return encode(ConnectionState{1}, 0); }
  constexpr ConnectionVerdict decode(std::uint32_t mark) const {
    const std::uint32_t bits = (mark & mask) >> shift();
    return {static_cast<ConnectionState>(bits >> 6),
            static_cast<Generation>(bits & kLastGeneration)};
  }
};

}  // namespace fwd::kernel
