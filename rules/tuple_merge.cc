// Entry point: place().
#include "rules/tuple_merge.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

namespace rules {
namespace {

constexpr std::size_t kMaxTables = 24;
constexpr std::size_t kLevels = 6;  // of prefix lengths that a table may have

Address masked(const Tested<AddressRange>& tested, unsigned bits) {
  return prefix_range(tested.range->first, bits).first;
}

constexpr std::uint64_t high_bits(unsigned count) {
  return count == 0 ? 0 : count >= 64 ? ~0ULL : ~0ULL << (64 - count);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29;
}

// What a table of this shape sees of the point.
Point masked(const Point& point, const Shape& shape) {
  const auto above = [](unsigned bits) { return bits > 64 ? bits - 64 : 0U; };
  std::uint64_t fields = 0;
  if (shape.protocol) fields |= 0xff00000000ULL;
  if (shape.source_port) fields |= 0xffff0000ULL;
  if (shape.destination_port) fields |= 0xffffULL;
  return {shape,
          {point.addresses[0] & high_bits(shape.source),
           point.addresses[1] & high_bits(above(shape.source)),
           point.addresses[2] & high_bits(shape.destination),
           point.addresses[3] & high_bits(above(shape.destination))},
          point.fields & fields};
}

// At most kLevels of the prefix lengths that occur, so that about as many pieces lie between each two.
std::vector<std::uint8_t> levels(std::vector<std::uint8_t> lengths) {
  std::ranges::sort(lengths);
  std::set<std::uint8_t> chosen{0};
  const std::set<std::uint8_t> distinct(lengths.begin(), lengths.end());
  if (distinct.size() <= kLevels) {
    chosen.insert(distinct.begin(), distinct.end());
  } else {
    for (std::size_t i = 0; i < kLevels; ++i)
      chosen.insert(lengths[i * (lengths.size() - 1) / (kLevels - 1)]);
  }
  return {chosen.begin(), chosen.end()};
}

class Placer {
 public:
  explicit Placer(std::vector<Point> points)
      : points_(std::move(points)), places_(points_.size()) {}

  std::optional<Shape> one_more(const std::vector<Shape>& shapes) && {
    if (shapes.size() >= kMaxTables) return std::nullopt;
    for (const Shape& shape : shapes) table(shape);
    return best_shape(all());
  }

  std::vector<Place> place_all() && {
    std::vector<std::size_t> left = all();
    if (left.size() <= kShortList) return std::move(places_);
    while (left.size() > kBucket && tables_.size() < kMaxTables) {
      const std::optional<Shape> shape = best_shape(left);
      if (!shape) break;
      auto& buckets = table(*shape);
      std::erase_if(left, [&](std::size_t i) {
        if (!shape->within(points_[i].shape)) return false;
        if (buckets[bucket_of(points_[i], *shape)] >= kBucket) return false;
        put(i, *shape);
        return true;
      });
    }
    settle(left);
    return std::move(places_);
  }

 private:
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> indices(points_.size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return indices;
  }

  using Buckets = std::unordered_map<std::uint64_t, std::size_t>;  // how many pieces

  Buckets& table(const Shape& shape) {
    const auto found = std::ranges::find(tables_, shape, &std::pair<Shape, Buckets>::first);
    if (found != tables_.end()) return found->second;
    return tables_.emplace_back(shape, Buckets{}).second;
  }

  void put(std::size_t index, const Shape& shape) {
    ++table(shape)[bucket_of(points_[index], shape)];
    places_[index] = shape;
  }

  // Each into the emptiest bucket that the tables at hand have for it, however full.
  void settle(const std::vector<std::size_t>& pieces) {
    for (const std::size_t i : pieces) {
      std::optional<Shape> best;
      std::size_t fewest = points_.size();
      for (const auto& [shape, buckets] : tables_) {
        if (!shape.within(points_[i].shape)) continue;
        const auto bucket = buckets.find(bucket_of(points_[i], shape));
        const std::size_t count = bucket == buckets.end() ? 0 : bucket->second;
        if (count >= fewest) continue;
        best = shape;
        fewest = count;
      }
      if (best) put(i, *best);
    }
  }

  // The shape whose small buckets take most of the pieces; of equals the one that looks at most.
  std::optional<Shape> best_shape(const std::vector<std::size_t>& left) {
    std::optional<Shape> best;
    std::size_t most = kBucket;  // fewer aren't worth a table
    for (const Shape& shape : candidates(left)) {
      const std::size_t taken = coverage(left, shape);
      if (taken < most || taken == kBucket) continue;
      best = shape;
      most = taken;
    }
    return best;
  }

  // In an order in which what looks at more comes later.
  std::vector<Shape> candidates(const std::vector<std::size_t>& left) const {
    std::vector<std::uint8_t> sources;
    std::vector<std::uint8_t> destinations;
    Shape any;
    for (const std::size_t i : left) {
      const Shape& shape = points_[i].shape;
      sources.push_back(shape.source);
      destinations.push_back(shape.destination);
      any.protocol |= shape.protocol;
      any.source_port |= shape.source_port;
      any.destination_port |= shape.destination_port;
    }
    const auto flags = [](bool both) {
      return both ? std::vector<bool>{false, true} : std::vector<bool>{false};
    };
    std::vector<Shape> shapes;
    for (const bool source_port : flags(any.source_port)) {
      for (const bool protocol : flags(any.protocol)) {
        for (const bool destination_port : flags(any.destination_port)) {
          for (const std::uint8_t source : levels(sources)) {
            for (const std::uint8_t destination : levels(destinations)) {
              const Shape shape{source, destination, protocol, source_port, destination_port};
              const bool has_table =
                  std::ranges::find(tables_, shape, &std::pair<Shape, Buckets>::first) !=
                  tables_.end();
              if (shape != Shape{} && !has_table) shapes.push_back(shape);
            }
          }
        }
      }
    }
    return shapes;
  }

  // How many pieces would find room in a table of this shape; two buckets rarely share a count.
  std::size_t coverage(const std::vector<std::size_t>& left, const Shape& shape) {
    constexpr std::size_t kCounts = 1U << 16;
    counts_.assign(kCounts, 0);
    std::size_t taken = 0;
    for (const std::size_t i : left) {
      if (!shape.within(points_[i].shape)) continue;
      std::uint8_t& count = counts_[bucket_of(points_[i], shape) >> 48];
      if (count >= kBucket) continue;
      ++count;
      ++taken;
    }
    return taken;
  }

  std::vector<Point> points_;
  std::vector<Place> places_;
  std::vector<std::pair<Shape, Buckets>> tables_;
  std::vector<std::uint8_t> counts_;
};

std::string hex(const Address& address) {
  if (address.family == Family::V4) return fmt::format("{:08x}", address.low);
  return fmt::format("{:016x}{:016x}", address.high, address.low);
}

}  // namespace

std::string bucket_name(const Piece& piece, const Shape& shape) {
  std::string name;
  if (shape.source != 0) name += "/" + hex(masked(piece.source, shape.source));
  if (shape.destination != 0) name += "/" + hex(masked(piece.destination, shape.destination));
  if (shape.protocol) name += fmt::format("/{}", *piece.protocol);
  if (shape.source_port) name += fmt::format("/{}", piece.source_port.range->first);
  if (shape.destination_port) name += fmt::format("/{}", piece.destination_port.range->first);
  return name;
}

std::vector<nft::KeyPart> key_parts(const Shape& shape, std::optional<Family> family) {
  const bool ipv4 = family == Family::V4;
  const unsigned width = ipv4 ? 32 : 128;
  const auto bits = [&](unsigned count) {
    return count == width ? std::nullopt : std::optional(count);
  };
  std::vector<nft::KeyPart> parts;
  if (shape.source != 0)
    parts.push_back({ipv4 ? nft::Field::Ip4Source : nft::Field::Ip6Source, bits(shape.source)});
  if (shape.destination != 0) {
    parts.push_back(
        {ipv4 ? nft::Field::Ip4Destination : nft::Field::Ip6Destination, bits(shape.destination)});
  }
  if (shape.protocol) parts.push_back({nft::Field::TransportProtocol});
  if (shape.source_port) parts.push_back({nft::Field::SourcePort});
  if (shape.destination_port) parts.push_back({nft::Field::DestinationPort});
  return parts;
}

std::vector<nft::Value> bucket_key(const Piece& piece, const Shape& shape) {
  std::vector<nft::Value> key;
  if (shape.source != 0) key.emplace_back(masked(piece.source, shape.source));
  if (shape.destination != 0) key.emplace_back(masked(piece.destination, shape.destination));
  if (shape.protocol) key.emplace_back(std::uint32_t{*piece.protocol});
  if (shape.source_port) key.emplace_back(std::uint32_t{piece.source_port.range->first});
  if (shape.destination_port) key.emplace_back(std::uint32_t{piece.destination_port.range->first});
  return key;
}

Point point_of(const Piece& piece) {
  Point point{shape_of(piece)};
  const auto put = [&](const Tested<AddressRange>& tested, std::size_t at) {
    if (!tested.range) return;
    const Address& address = tested.range->first;
    const bool ipv4 = address.family == Family::V4;
    point.addresses[at] = ipv4 ? address.low << 32 : address.high;
    point.addresses[at + 1] = ipv4 ? 0 : address.low;
  };
  put(piece.source, 0);
  put(piece.destination, 2);
  point.fields = std::uint64_t{piece.protocol.value_or(0)} << 32;
  if (point.shape.source_port) point.fields |= std::uint64_t{piece.source_port.range->first} << 16;
  if (point.shape.destination_port) point.fields |= piece.destination_port.range->first;
  return point;
}

std::uint64_t bucket_of(const Point& point, const Shape& shape) {
  const Point seen = masked(point, shape);
  std::uint64_t hash = 0;
  for (const std::uint64_t part : seen.addresses) hash = mix(hash, part);
  return mix(hash, seen.fields);
}

bool share_bucket(const Point& one, const Point& other, const Shape& shape) {
  const Point left = masked(one, shape);
  const Point right = masked(other, shape);
  return left.addresses == right.addresses && left.fields == right.fields;
}

std::vector<Place> place(std::vector<Point> points) {
  return Placer(std::move(points)).place_all();
}

std::optional<Shape> shape_of_table(std::vector<Point> points, const std::vector<Shape>& tables) {
  return Placer(std::move(points)).one_more(tables);
}

}  // namespace rules
