// The resolved policy: names looked up, sets expanded, defaults filled in, order fixed. It is what both engines are
// compiled from, and immutable once resolved. Made by resolve() in rules/resolver.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/address.h"
#include "rules/diagnostic.h"
#include "rules/include.h"
#include "rules/log.h"
#include "rules/rule_id.h"
#include "rules/rule_list.h"
#include "rules/short_list.h"
#include "rules/sparse.h"

namespace rules {

enum class Action : std::uint8_t { Allow, Deny, Reject, Limit };
enum class Direction : std::uint8_t { In, Out };

std::string_view to_string(Action action);        // "allow"
std::string_view to_string(Direction direction);  // "in"

// IANA protocol numbers that the language and the decoder know by name.
namespace protocol {
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIgmp = 2;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kDccp = 33;
inline constexpr std::uint8_t kIpv6 = 41;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kEsp = 50;
inline constexpr std::uint8_t kAh = 51;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kVrrp = 112;
inline constexpr std::uint8_t kSctp = 132;
inline constexpr std::uint8_t kUdpLite = 136;
}  // namespace protocol

// Whether the protocol's first four bytes are source and destination port.
constexpr bool has_ports(std::uint8_t number) {
  return number == protocol::kTcp || number == protocol::kUdp || number == protocol::kDccp ||
         number == protocol::kSctp || number == protocol::kUdpLite;
}

// Lower case IANA name ("tcp", "icmpv6", "udplite"), or the decimal number.
std::string protocol_name(std::uint8_t number);

// Inclusive; first <= last. Port 0 is an ordinary number here, never a wildcard.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  auto operator<=>(const PortRange&) const = default;
};

struct ProtocolMatch {
  std::uint8_t number = 0;
  std::optional<std::uint8_t> icmp_type;  // only with kIcmp and kIcmpv6
  std::optional<std::uint8_t> icmp_code;

  auto operator<=>(const ProtocolMatch&) const = default;
};

// One side's address: anything, or the members of a set. `name` is the set's, absent for literal addresses.
struct AddressMatch {
  std::shared_ptr<const AddressSet> members;  // null: any address of either family
  Sparse<std::string> name;

  bool any() const { return members == nullptr; }
  bool matches(const Address& address) const { return any() || members->contains(address); }
};

// All dimensions must hold; an absent one matches everything.
struct Match {
  Direction direction = Direction::In;
  std::optional<std::uint8_t> hop_limit;  // TTL or hop limit, exactly; only in built-in rules
  Sparse<std::string> interface;          // by name: of In the incoming, of Out the outgoing one
  ShortList<ProtocolMatch> protocols;     // empty: any. One of them must hold.
  AddressMatch source;
  AddressMatch destination;
  ShortList<PortRange> source_ports;  // empty: any. Sorted, disjoint; only has_ports() protocols.
  ShortList<PortRange> destination_ports;  // likewise
};

// At most `count` new connections from one source address within `seconds`.
struct Rate {
  std::uint32_t count = 6;
  std::uint32_t seconds = 30;

  auto operator<=>(const Rate&) const = default;
};

// There may be 100,000 of them: they have nothing that can be made from the rest when it is asked for.
struct Rule {
  RuleId id;
  Action action = Action::Deny;
  Log log;
  std::optional<Rate> rate;  // always set where action is Limit, never elsewhere
  Sparse<std::string> comment;
  Match match;
  // Of a rule that the rest doesn't tell the text of: a built-in one, or one that names a set of ports. See
  // canonical_text() in rules/printer.h.
  Sparse<std::string> canonical;
};

// The things that are always in force unless the policy says `builtin NAME off`.
struct Builtins {
  bool loopback = true;
  bool established = true;  // connections approved before, and what is related to them
  bool neighbour_discovery = true;
  bool mld = true;
  bool icmp_errors = true;
  bool ping = true;
  bool dhcp = true;

  bool operator==(const Builtins&) const = default;
};

struct NamedSet {
  std::string name;
  std::shared_ptr<const AddressSet> addresses;  // null for a set of ports
  std::vector<PortRange> ports;
  std::string hash;  // of the members: SHA-256, hex
  Location where;
};

struct Policy {
  Builtins builtins;
  std::vector<Rule> builtin_rules;  // of `builtins`, those on a packet's headers; looked at first
  RuleList rules;                   // in order: the first match decides
  std::map<std::string, NamedSet> sets;
  Action default_in = Action::Deny;  // never Limit
  Action default_out = Action::Allow;
  std::string hash;  // SHA-256, hex, of all that it says: rules/policy_hash.h
  std::shared_ptr<const SourceTree> sources;  // that it was made from

  // Of rules[index].
  Location where(std::size_t index) const;
  const std::string& file(std::size_t index) const;
  std::string_view statement(std::size_t index) const;  // as written, without a comment at its end
};

}  // namespace rules
