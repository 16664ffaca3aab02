// What a rule asks for beyond one prefix of either address and one range of either port: protocol, ICMP type and code,
// interface, hop limit; and lists and sets that were too long to be cut. An entry's condition is one word: a short one,
// of protocol and interface, stands in it whole; of the others, which are few, the word is a number.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "rules/classifier/address_index.h"
#include "rules/classifier/entry.h"

namespace rules::classifier {

struct KindTest {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;

  bool holds(std::uint64_t kind) const { return (kind & mask) == value; }
  auto operator<=>(const KindTest&) const = default;
};

// Lists of which one member must hold; an empty or absent one holds always.
struct Checks {
  std::vector<KindTest> kinds;
  std::shared_ptr<const AddressIndex> source;
  std::shared_ptr<const AddressIndex> destination;
  std::vector<PortRange> source_ports;
  std::vector<PortRange> destination_ports;

  bool empty() const { return *this == Checks{}; }
  auto operator<=>(const Checks&) const = default;

  template <typename F>
  bool hold(const Point<F>& point) const noexcept {
    return (kinds.empty() || any_holds(point.kind)) && (!source || source->has(point.source)) &&
           (!destination || destination->has(point.destination)) &&
           has(source_ports, point.source_port()) &&
           has(destination_ports, point.destination_port());
  }

 private:
  bool any_holds(std::uint64_t kind) const noexcept;
  static bool has(const std::vector<PortRange>& ranges, std::uint16_t port) noexcept;
};

// Words of short conditions: the wanted bits of the kind, and for each of three parts whether it is asked for.
namespace condition_word {
inline constexpr std::uint32_t kListed =
    1U << 30U;  // no part is asked for, the rest is a number: see Conditions
inline constexpr unsigned kPartShift = 27;
inline constexpr std::uint32_t kNumber = (1U << kPartShift) - 1;
inline constexpr std::size_t kParts = 3;
inline constexpr std::array<std::uint64_t, kParts> kPartBits{kind::kProtocol, kind::kHasPorts,
                                                             kind::kInterface};
// By the parts that are asked for: the bits of a kind that have to be as they are in the word.
inline constexpr auto kMasks = [] {
  std::array<std::uint32_t, 1U << kParts> masks{};
  for (unsigned parts = 0; parts < masks.size(); ++parts) {
    for (unsigned part = 0; part < kParts; ++part)
      masks[parts] |= (parts >> part & 1U) != 0 ? static_cast<std::uint32_t>(kPartBits[part]) : 0;
  }
  return masks;
}();

// Nothing where more is asked for than there is room.
std::optional<std::uint32_t> of(const KindTest& test);
KindTest short_test(std::uint32_t word);

// False only where the condition fails; true of all that are listed.
inline bool may_hold(std::uint32_t word, std::uint64_t kind) noexcept {
  const std::uint32_t mask = kMasks[word >> kPartShift & (kMasks.size() - 1)];
  return ((word ^ static_cast<std::uint32_t>(kind)) & mask) == 0;
}
}  // namespace condition_word

struct Condition {
  KindTest kind;
  const Checks* checks = nullptr;  // null where there are none

  template <typename F>
  bool holds(const Point<F>& point) const noexcept {
    return kind.holds(point.kind) && (checks == nullptr || checks->hold(point));
  }
};

// What the condition of that word asks of a packet's kind; `listed` as Conditions::data().
inline KindTest kind_test(std::uint32_t word, const Condition* listed) {
  if ((word & condition_word::kListed) == 0) return condition_word::short_test(word);
  return listed[word & condition_word::kNumber].kind;
}

// Every condition in use that isn't short, once, with its number.
class Conditions {
 public:
  // One more user of the condition, by its word. What a number stands for may be read in data() until it is given back.
  std::uint32_t take(const KindTest& kind, const Checks& checks);
  // One user less. After the last the number may stand for something else: the caller waits for readers first.
  void give_back(std::uint32_t word);

  // At most this many stand in data() until it is moved.
  std::size_t capacity() const { return capacity_; }
  bool full() const { return free_.empty() && used_ == capacity_; }
  std::shared_ptr<const Condition[]> data() const { return data_; }
  // Room for as many more; what data() was stays as it is.
  void move_to(std::size_t capacity);

  std::size_t memory_bytes() const;

 private:
  struct Key {
    KindTest kind;
    Checks checks;
    auto operator<=>(const Key&) const = default;
  };
  using Number = std::uint32_t;
  struct Use {
    Number number = 0;
    std::size_t users = 0;
  };
  using Known = std::map<Key, Use>;

  Known known_;
  std::vector<Known::iterator> by_number_;
  std::vector<Number> free_;
  std::shared_ptr<Condition[]> data_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace rules::classifier
