#include "rules/kernel_fronts.h"

#include <algorithm>
#include <array>

namespace rules {
namespace {

constexpr std::size_t kMostItems = 1024;  // each new one is compared with all
constexpr std::size_t kMostFronts = 12;

constexpr std::array kCommon = std::to_array<Front>({
    {std::nullopt, {.protocol = true, .destination_port = true}},
    {Family::V4, {.source = 32, .protocol = true, .destination_port = true}},
    {Family::V6, {.source = 128, .protocol = true, .destination_port = true}},
    {Family::V4, {.source = 32}},
    {Family::V6, {.source = 128}},
});

// Whether some packet matches both.
bool overlap(const Front& one, const Point& left, const Front& other, const Point& right) {
  if (one.family && other.family && one.family != other.family) return false;
  const Shape both{
      .source = std::min(one.shape.source, other.shape.source),
      .destination = std::min(one.shape.destination, other.shape.destination),
      .protocol = one.shape.protocol && other.shape.protocol,
      .source_port = one.shape.source_port && other.shape.source_port,
      .destination_port = one.shape.destination_port && other.shape.destination_port,
  };
  return share_bucket(left, right, both);
}

}  // namespace

std::string front_name(const Front& front) {
  return "labels/" + KernelGroup(Direction::In, front.family).table_name(front.shape);
}

void KernelFronts::open() {
  for (const Front& front : kCommon) fronts_.push_back({front, {}});
}

std::optional<KernelFronts::Index> KernelFronts::add(const PieceOf& piece,
                                                     std::optional<Family> family,
                                                     const Point& point) {
  const Front front{family, point.shape};
  if (!is_open() || front.shape == Shape{} || count_ == kMostItems) return std::nullopt;
  const auto found = std::ranges::find(fronts_, front, &Filled::front);
  const auto at = static_cast<Index>(found - fronts_.begin());
  const bool opens = found == fronts_.end();
  if ((opens && fronts_.size() == kMostFronts) || !fits(piece, point, front, at))
    return std::nullopt;
  if (opens) fronts_.push_back({front, {}});
  std::vector<Item>& items = fronts_[at].items;
  items.insert(std::ranges::upper_bound(items, piece, {}, &Item::piece), {piece, point});
  ++count_;
  return at;
}

bool KernelFronts::fits(const PieceOf& piece, const Point& point, const Front& front,
                        Index at) const {
  for (Index i = 0; i < fronts_.size(); ++i) {
    for (const Item& item : fronts_[i].items) {
      if (!overlap(front, point, fronts_[i].front, item.point)) continue;
      if (i == at) return false;
      if (i < at ? piece.label > item.piece.label : piece.label < item.piece.label) return false;
    }
  }
  return true;
}

std::optional<KernelFronts::Index> KernelFronts::remove(const PieceOf& piece) {
  for (Index i = 0; i < fronts_.size(); ++i) {
    const auto found = std::ranges::equal_range(fronts_[i].items, piece, {}, &Item::piece);
    if (found.empty()) continue;
    fronts_[i].items.erase(found.begin());
    --count_;
    return i;
  }
  return std::nullopt;
}

bool KernelFronts::has(const PieceOf& piece) const {
  return std::ranges::any_of(fronts_, [&](const Filled& filled) {
    return std::ranges::binary_search(filled.items, piece, {}, &Item::piece);
  });
}

}  // namespace rules
