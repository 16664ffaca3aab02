// A rule cut into pieces that the kernel tests one after the other: each is a conjunction of
// comparisons with one value, one range or one set. A packet matches the rule where it matches a
// piece of it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/kernel_set.h"
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
  Sparse<std::string> interface;
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

  auto operator<=>(const Shape&) const = default;
  // Whether a table of this shape can hold what has all the bits of the other.
  bool within(const Shape& other) const {
    return source <= other.source && destination <= other.destination &&
           protocol <= other.protocol && source_port <= other.source_port &&
           destination_port <= other.destination_port;
  }
};

// The most that all packets of the piece have in common.
Shape shape_of(const Piece& piece);

// Of one dimension of a rule: whatever it may be tested with; every combination is a piece.
struct Dimensions {
  struct Side {
    std::optional<Family> family;
    Tested<AddressRange> tested;
  };
  struct Protocol {
    std::optional<std::uint8_t> number;
    std::optional<IcmpTypes> types = std::nullopt;
    std::optional<std::uint8_t> code = std::nullopt;
  };
  std::vector<Side> sources;
  std::vector<Side> destinations;
  std::vector<Protocol> protocols;
  std::vector<Tested<PortRange>> source_ports;
  std::vector<Tested<PortRange>> destination_ports;

  std::size_t combinations() const {
    return sources.size() * destinations.size() * protocols.size() * source_ports.size() *
           destination_ports.size();
  }
};

// The pieces of one rule, each made when it is asked for. The match must outlive them.
class Cut {
 public:
  // `key` names the rule's own sets, for lists that are too long to be compared one by one.
  Cut(const Match& match, std::string key, const NamedKinds& named);

  std::size_t size() const { return size_; }
  Piece operator[](std::size_t index) const;
  // The sets that no other rule looks into.
  const std::vector<MemberSet>& own_sets() const { return own_sets_; }

 private:
  struct Limits {
    std::size_t addresses;
    std::size_t ports;
  };
  Dimensions dimensions(Limits limits, const NamedKinds& named);
  std::vector<Dimensions::Side> sides_of(const AddressMatch& side, const char* suffix,
                                         std::size_t limit, const NamedKinds& named);
  std::vector<Tested<PortRange>> ports_of(const ShortList<PortRange>& ports, const char* suffix,
                                          std::size_t limit);

  const Match& match_;
  std::string key_;
  std::vector<MemberSet> own_sets_;
  Dimensions parts_;
  std::size_t size_ = 0;
};

// The tests of a piece whose family is known, without those that a table of this shape has made.
std::vector<nft::Statement> tests_of(const Piece& piece, Direction direction, const Shape& known);

}  // namespace rules
