// A rule cut into pieces that the kernel tests one after the other: each is a conjunction of
// comparisons with one value, one range or one set. A packet matches the rule where it matches a
// piece of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/nft.h"
#include "rules/policy.h"

namespace rules {

// Anything, one range, or the members of a set of the kernel's.
template <typename Range>
struct Tested {
  std::optional<Range> range = std::nullopt;
  std::string set = {};

  bool operator==(const Tested&) const = default;
};

struct IcmpTypes {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
};

struct Piece {
  std::optional<Family> family;  // nothing: either
  std::optional<std::string> interface;
  std::optional<std::uint8_t> protocol;
  std::optional<IcmpTypes> icmp_types;
  std::optional<std::uint8_t> icmp_code;
  Tested<AddressRange> source;
  Tested<AddressRange> destination;
  Tested<PortRange> source_port;
  Tested<PortRange> destination_port;
  std::optional<std::uint8_t> hop_limit;
};

// Which bits of a packet a hash table looks at: of how long a prefix, and which fields at all.
struct Shape {
  std::uint8_t source = 0;
  std::uint8_t destination = 0;
  bool protocol = false;
  bool source_port = false;
  bool destination_port = false;

  bool operator==(const Shape&) const = default;
  // Whether a table of this shape can hold what has all the bits of the other.
  bool within(const Shape& other) const {
    return source <= other.source && destination <= other.destination &&
           protocol <= other.protocol && source_port <= other.source_port &&
           destination_port <= other.destination_port;
  }
};

// The most that all packets of the piece have in common.
Shape shape_of(const Piece& piece);

// The kernel's sets, each made once. A set of the policy's keeps its name, followed by _4 or _6 for
// exact addresses and _4r or _6r for ranges: so that a change of its members is a change of elements.
struct KernelSets {
  struct Part {
    Family family;
    std::string set;
  };
  std::map<std::string, nft::FixedSet> fixed;         // by name
  std::map<std::string, std::vector<Part>> of_lists;  // by the list's name
};

// `key` names the rule's own sets, for lists that are too long to be compared one by one.
std::vector<Piece> cut(const Match& match, const std::string& key, KernelSets& sets);

// The tests of a piece whose family is known, without those that a table of this shape has made.
std::vector<nft::Statement> tests_of(const Piece& piece, Direction direction, const Shape& known);

}  // namespace rules
