// What a rule asks for beyond one prefix of either address and one range of either port: protocol, ICMP type and code,
// interface, hop limit; and lists and sets that were too long to be cut. Few differ, so entries only name a number.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
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
           has(source_ports, point.source_port) && has(destination_ports, point.destination_port);
  }

 private:
  bool any_holds(std::uint64_t kind) const noexcept;
  static bool has(const std::vector<PortRange>& ranges, std::uint16_t port) noexcept;
};

struct Condition {
  KindTest kind;
  const Checks* checks = nullptr;  // null where there are none

  template <typename F>
  bool holds(const Point<F>& point) const noexcept {
    return kind.holds(point.kind) && (checks == nullptr || checks->hold(point));
  }
};

// Every condition in use, once, with its number. A number may be read by its address in data() until it is given back.
class Conditions {
 public:
  using Number = std::uint32_t;

  // One more user of the condition.
  Number take(const KindTest& kind, const Checks& checks);
  // One user less. After the last the number may stand for something else: the caller waits for readers first.
  void give_back(Number number);

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
