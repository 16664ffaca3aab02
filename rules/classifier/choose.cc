#include "rules/classifier/choose.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <optional>
#include <set>

namespace rules::classifier {
namespace {

constexpr std::size_t kLengths = 6;      // of prefixes that are tried in one round
constexpr std::size_t kWorthATable = 4;  // buckets' worth of entries
constexpr std::uint32_t kSourcePort = 0xffff0000U;
constexpr std::uint32_t kDestinationPort = 0xffffU;
constexpr std::uint32_t kInterface = ~0U;

template <typename F>
std::uint32_t entry_ports(const Entry<F>& entry) {
  return both_ports(entry.source_ports.first, entry.destination_ports.first);
}

// What looks at more fields leads fewer packets to buckets in vain: each field is worth some entries.
constexpr std::size_t kPartWorth = 10;

std::size_t fields_looked_at(const Shape& shape) {
  return std::size_t{shape.source > 0} + std::size_t{shape.destination > 0} +
         std::size_t{shape.fields.ports != 0} + std::size_t{shape.fields.interface != 0};
}

// Which of an array of hashes a shape's is made of.
struct Combination {
  Shape shape;
  std::size_t source = 0;
  std::size_t destination = 0;
  std::size_t fields = 0;
};

template <typename F>
class Chooser {
 public:
  Chooser(std::span<const Entry<F>> entries, const Condition* conditions)
      : entries_{entries}, conditions_{conditions}, left_(entries.size()) {
    std::iota(left_.begin(), left_.end(), 0U);
    shapes_of_.reserve(entries.size());
    for (const Entry<F>& entry : entries)
      shapes_of_.push_back(shape_of(entry, kind_test(entry.condition_word(), conditions)));
  }

  std::vector<ChosenShape> choose() && {
    while (left_.size() > kShortList && chosen_.size() < kMostTables) {
      hash_left();
      const auto best = best_combination();
      if (!best) break;
      const std::size_t before = left_.size();
      take(*best);
      chosen_.push_back({best->shape, before - left_.size()});
    }
    return std::move(chosen_);
  }

 private:
  // At most kLengths of those that occur, so that about as many entries lie between each two.
  static std::vector<std::uint8_t> levels(std::vector<std::uint8_t> lengths) {
    std::ranges::sort(lengths);
    const std::set<std::uint8_t> distinct(lengths.begin(), lengths.end());
    std::set<std::uint8_t> levels{0};
    if (distinct.size() <= kLengths) {
      levels.insert(distinct.begin(), distinct.end());
    } else {
      for (std::size_t i = 0; i < kLengths; ++i)
        levels.insert(lengths[i * (lengths.size() - 1) / (kLengths - 1)]);
    }
    return {levels.begin(), levels.end()};
  }

  // With those of the tables there are, once there is no room for others.
  std::vector<std::uint8_t> lengths(std::uint8_t Shape::*side) const {
    std::set<std::uint8_t> used;
    for (const ChosenShape& chosen : chosen_) used.insert(chosen.shape.*side);
    if (used.size() >= kMostLevels) return {used.begin(), used.end()};
    std::vector<std::uint8_t> all;
    all.reserve(left_.size());
    for (const std::uint32_t i : left_) all.push_back(shapes_of_[i].*side);
    std::vector<std::uint8_t> found = levels(std::move(all));
    return found;
  }

  std::vector<FieldMask> field_masks() const {
    bool source = false;
    bool destination = false;
    bool interface = false;
    for (const std::uint32_t i : left_) {
      source |= (shapes_of_[i].fields.ports & kSourcePort) != 0;
      destination |= (shapes_of_[i].fields.ports & kDestinationPort) != 0;
      interface |= shapes_of_[i].fields.interface != 0;
    }
    std::vector<FieldMask> masks{{}};
    if (source) masks.push_back({kSourcePort, 0});
    if (destination) masks.push_back({kDestinationPort, 0});
    if (source && destination) masks.push_back({kSourcePort | kDestinationPort, 0});
    if (interface) masks.push_back({0, kInterface});
    if (interface && destination) masks.push_back({kDestinationPort, kInterface});
    return masks;
  }

  // Each part's hashes of all entries that are left, one array for each length or mask.
  void hash_left() {
    source_lengths_ = lengths(&Shape::source);
    destination_lengths_ = lengths(&Shape::destination);
    masks_ = field_masks();
    const auto fill = [&](std::vector<std::vector<std::uint32_t>>& hashes, std::size_t count,
                          const auto& hash) {
      hashes.resize(count);
      for (std::size_t level = 0; level < count; ++level) {
        hashes[level].clear();
        for (const std::uint32_t i : left_) hashes[level].push_back(hash(i, level));
      }
    };
    fill(source_hashes_, source_lengths_.size(), [&](std::uint32_t i, std::size_t level) {
      return address_hash(entries_[i].addresses.source, prefix_mask<F>(source_lengths_[level]),
                          kSourceSeed);
    });
    fill(destination_hashes_, destination_lengths_.size(), [&](std::uint32_t i, std::size_t level) {
      return address_hash(entries_[i].addresses.destination,
                          prefix_mask<F>(destination_lengths_[level]), kDestinationSeed);
    });
    fill(field_hashes_, masks_.size(), [&](std::uint32_t i, std::size_t level) {
      return field_hash(entry_ports(entries_[i]), kind::interface_bits(kind_of(i).value),
                        masks_[level]);
    });
  }

  KindTest kind_of(std::uint32_t i) const {
    return kind_test(entries_[i].condition_word(), conditions_);
  }

  std::optional<Combination> best_combination() {
    std::optional<Combination> best;
    const std::size_t least = std::max(kWorthATable * kBucket, left_.size() / 64);
    std::size_t most = 0;
    for (std::size_t f = 0; f < masks_.size(); ++f) {
      for (std::size_t s = 0; s < source_lengths_.size(); ++s) {
        for (std::size_t d = 0; d < destination_lengths_.size(); ++d) {
          const Combination tried{
              {source_lengths_[s], destination_lengths_[d], masks_[f]}, s, d, f};
          if (tried.shape == Shape{} ||
              std::ranges::find(chosen_, tried.shape, &ChosenShape::shape) != chosen_.end())
            continue;
          const std::size_t taken = coverage(tried, nullptr);
          const std::size_t worth = taken + taken * fields_looked_at(tried.shape) / kPartWorth;
          if (taken < least || worth < most) continue;
          best = tried;
          most = worth;
        }
      }
    }
    return best;
  }

  void take(const Combination& combination) {
    std::vector<std::uint32_t> rest;
    coverage(combination, &rest);
    left_ = std::move(rest);
  }

  // How many of those left would find room in a table of this shape; `rest` gets the others.
  std::size_t coverage(const Combination& combination, std::vector<std::uint32_t>* rest) {
    const unsigned bits = static_cast<unsigned>(std::bit_width(left_.size())) + 1;
    counts_.assign(std::size_t{1} << bits, 0);
    const auto& source = source_hashes_[combination.source];
    const auto& destination = destination_hashes_[combination.destination];
    const auto& fields = field_hashes_[combination.fields];
    std::size_t taken = 0;
    for (std::size_t at = 0; at < left_.size(); ++at) {
      const bool fits = combination.shape.within(shapes_of_[left_[at]]);
      const std::uint32_t hash = source[at] ^ destination[at] ^ fields[at];
      std::uint8_t& count = counts_[hash >> (32 - bits)];
      const bool room = fits && count < kBucket;
      count = static_cast<std::uint8_t>(count + room);
      taken += room;
      if (rest != nullptr && !room) rest->push_back(left_[at]);
    }
    return taken;
  }

  std::span<const Entry<F>> entries_;
  const Condition* conditions_;
  std::vector<Shape> shapes_of_;
  std::vector<std::uint32_t> left_;
  std::vector<ChosenShape> chosen_;
  std::vector<std::uint8_t> source_lengths_;
  std::vector<std::uint8_t> destination_lengths_;
  std::vector<FieldMask> masks_;
  std::vector<std::vector<std::uint32_t>> source_hashes_;
  std::vector<std::vector<std::uint32_t>> destination_hashes_;
  std::vector<std::vector<std::uint32_t>> field_hashes_;
  std::vector<std::uint8_t> counts_;
};

}  // namespace

template <typename F>
Shape shape_of(const Entry<F>& entry, const KindTest& kind) {
  Shape shape{static_cast<std::uint8_t>(entry.addresses.source_bits()),
              static_cast<std::uint8_t>(entry.addresses.destination_bits()),
              {}};
  if (entry.source_ports.span == 0) shape.fields.ports |= kSourcePort;
  if (entry.destination_ports.span == 0) shape.fields.ports |= kDestinationPort;
  if ((kind.mask & kind::kInterface) != 0) shape.fields.interface = kInterface;
  return shape;
}

template <typename F>
std::uint32_t hash_of(const Entry<F>& entry, const KindTest& kind, const Shape& shape) {
  return address_hash(entry.addresses.source, prefix_mask<F>(shape.source), kSourceSeed) ^
         address_hash(entry.addresses.destination, prefix_mask<F>(shape.destination),
                      kDestinationSeed) ^
         field_hash(entry_ports(entry), kind::interface_bits(kind.value), shape.fields);
}

template <typename F>
std::vector<ChosenShape> choose_shapes(std::span<const Entry<F>> entries,
                                       const Condition* conditions) {
  return Chooser<F>(entries, conditions).choose();
}

template Shape shape_of(const Entry<V4>&, const KindTest&);
template Shape shape_of(const Entry<V6>&, const KindTest&);
template std::uint32_t hash_of(const Entry<V4>&, const KindTest&, const Shape&);
template std::uint32_t hash_of(const Entry<V6>&, const KindTest&, const Shape&);
template std::vector<ChosenShape> choose_shapes(std::span<const Entry<V4>>, const Condition*);
template std::vector<ChosenShape> choose_shapes(std::span<const Entry<V6>>, const Condition*);

}  // namespace rules::classifier
