// A table of the kernel's packet filter as plain values: what to write, before anything is written.
// fwd/kernel builds one from a policy and encodes it as netlink; dump() shows it in nft's own
// notation, which is what tests compare.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/address.h"

namespace rules::nft {

enum class Field : std::uint8_t {
  InputIndex,
  OutputIndex,
  InputName,
  OutputName,
  NetworkProtocol,  // meta nfproto: kIpv4 or kIpv6 below
  TransportProtocol,
  Priority,
  CtState,  // one of the bits below
  CtDirection,
  CtMark,
  Ip4Source,
  Ip4Destination,
  Ip4Ttl,
  Ip6Source,
  Ip6Destination,
  Ip6HopLimit,
  SourcePort,
  DestinationPort,
  IcmpType,
  IcmpCode,
  TcpFlags,
  Ip4Fragment,     // flags and offset, as one number
  Ip6Fragment,     // likewise, of the fragment header
  Ip6RoutingType,  // of the routing header
};

inline constexpr std::uint32_t kIpv4 = 2;  // NFPROTO_IPV4
inline constexpr std::uint32_t kIpv6 = 10;
inline constexpr std::uint32_t kOriginal = 0;  // IP_CT_DIR_ORIGINAL
inline constexpr std::uint32_t kReply = 1;

// NFT_CT_STATE bits (include/uapi/linux/netfilter/nf_conntrack_common.h).
namespace state {
inline constexpr std::uint32_t kInvalid = 1;
inline constexpr std::uint32_t kEstablished = 2;
inline constexpr std::uint32_t kRelated = 4;
inline constexpr std::uint32_t kNew = 8;
inline constexpr std::uint32_t kUntracked = 64;
}  // namespace state

// Host byte order; a name for InputName and OutputName, an address for the address fields.
using Value = std::variant<std::uint32_t, Address, std::string>;

// field & mask == value (or != value). A field that the packet or its connection doesn't have never
// matches.
struct Compare {
  Field field;
  Value value;
  bool equal = true;
  std::optional<std::uint32_t> mask = std::nullopt;
  bool operator==(const Compare&) const = default;
};

struct Between {
  Field field;
  Value first;
  Value last;
  bool operator==(const Between&) const = default;
};

// As numbers; only Priority.
struct Above {
  Field field;
  std::uint32_t value;

  bool operator==(const Above&) const = default;
};

// Whether the set has field & mask.
struct Lookup {
  Field field;
  std::string set;
  bool inverted = false;
  std::optional<std::uint32_t> mask = std::nullopt;
  bool operator==(const Lookup&) const = default;
};

// field = (field & keep) | bits. Only Priority and CtMark can be written.
struct Assign {
  Field field;
  std::uint32_t keep;
  std::uint32_t bits;
  bool operator==(const Assign&) const = default;
};

struct Count {
  std::string counter;  // a named one, so that a commit keeps its value
  bool operator==(const Count&) const = default;
};

// A part of a concatenated key: the field, or only its first bits.
struct KeyPart {
  Field field;
  std::optional<unsigned> bits = std::nullopt;

  bool operator==(const KeyPart&) const = default;
};

// Counts in the counter that a map has for the field; goes on in the rule only where it has one.
struct CountBy {
  KeyPart key;
  std::string map;

  bool operator==(const CountBy&) const = default;
};

// The verdict that a map has for the key; without one goes on behind the rule.
struct VerdictBy {
  std::vector<KeyPart> key;
  std::string map;

  bool operator==(const VerdictBy&) const = default;
};

// field = what a map has for the key; goes on in the rule only where it has something. Only Priority.
struct AssignBy {
  Field field;
  std::vector<KeyPart> key;
  std::string map;

  bool operator==(const AssignBy&) const = default;
};

struct LogTo {
  std::uint16_t group;
  std::string prefix;
  std::uint32_t snaplen;
  bool operator==(const LogTo&) const = default;
};

struct Reject {
  bool tcp_reset;  // else ICMP or ICMPv6 admin-prohibited
  bool operator==(const Reject&) const = default;
};

struct Queue {
  std::uint16_t first;
  std::uint16_t last;
  bool operator==(const Queue&) const = default;
};

// Enters the field's value into a dynamic set, for `timeout` from now (refresh) or from when it was
// first entered. With `over`, goes on in the rule only when the element has been entered more than
// that often.
struct Remember {
  Field field;
  std::string set;
  std::chrono::seconds timeout;
  bool refresh;
  std::optional<std::uint32_t> over = std::nullopt;
  bool operator==(const Remember&) const = default;
};

struct Verdict {
  enum class Kind : std::uint8_t { Accept, Drop, Return, Jump, Goto } kind;
  std::string chain = {};  // for Jump and Goto

  bool operator==(const Verdict&) const = default;
};

using Statement = std::variant<Compare, Between, Above, Lookup, Assign, Count, CountBy, VerdictBy,
                               AssignBy, LogTo, Reject, Queue, Remember, Verdict>;

struct Rule {
  std::vector<Statement> statements;
  std::string comment = {};
  bool operator==(const Rule&) const = default;
};

struct BaseChain {
  enum class Hook : std::uint8_t { Input, Output } hook;
  int priority;  // policy is accept: what a chain drops it drops by a rule
  bool operator==(const BaseChain&) const = default;
};

struct Chain {
  std::string name;
  std::optional<BaseChain> base = std::nullopt;
  std::vector<Rule> rules = {};
  bool operator==(const Chain&) const = default;
};

struct Set {
  std::string name;
  Field key;
  std::uint32_t size = 65535;
  bool dynamic =
      false;  // elements come from Remember; otherwise from the daemon. All have timeouts.
  bool metered = false;  // elements carry a limit, for Remember with `over`
  bool operator==(const Set&) const = default;
};

struct Interval {
  Value first;
  Value last;

  bool operator==(const Interval&) const = default;
};

// What is known when the table is written. Members are sorted and disjoint; without `ranges` each is
// one value, and the set a hash table: of a fixed size for so many members, or one that grows if there is no `size`.
struct FixedSet {
  std::string name;
  Field key;
  bool ranges = false;
  std::size_t size = 0;
  std::vector<Interval> members = {};

  bool operator==(const FixedSet&) const = default;
};

struct Element {
  std::vector<Value> key;    // a value for each part
  std::string target = {};   // the chain, or the counter
  std::uint32_t number = 0;  // for AssignBy

  bool operator==(const Element&) const = default;
};

// A hash table from keys to what its statement does with them; to nothing for Lookup. Of a fixed size for so many elements,
// or one that grows if there is no `size`.
struct Map {
  enum class To : std::uint8_t { Jump, Goto, Counter, Number, Nothing };

  std::string name;
  std::vector<Field> key;
  To to;
  std::vector<Element> elements = {};
  std::uint32_t size = 0;

  bool operator==(const Map&) const = default;
};

struct Table {
  std::string name;
  std::string comment = {};
  std::vector<std::string> counters = {};
  std::vector<Set> sets = {};
  std::vector<FixedSet> fixed_sets = {};
  std::vector<Map> maps = {};
  std::vector<Chain> chains = {};

  bool operator==(const Table&) const = default;
};

std::string dump(const Table& table);
std::string dump(const Statement& statement);

}  // namespace rules::nft
