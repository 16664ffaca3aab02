#include "rules/kernel_fronts.h"

#include <algorithm>

namespace rules {
namespace {

constexpr std::size_t kMostItems = 1024;  // of all fronts: each new one is compared with all

bool overlap(const Front& one, const Point& left, const Front& other, const Point& right) {
  if (one.family && other.family && one.family != other.family) return false;
  const Shape both{
      .source = std::min(one.shape.source, other.shape.source),
      .protocol = one.shape.protocol && other.shape.protocol,
      .destination_port = one.shape.destination_port && other.shape.destination_port,
  };
  return share_bucket(left, right, both);
}

}  // namespace

std::optional<KernelFronts::Index> KernelFronts::add(const PieceOf& piece,
                                                     std::optional<Family> family,
                                                     const Point& point) {
  const auto found = std::ranges::find_if(kFronts, [&](const Front& front) {
    return front.family == family && front.shape == point.shape;
  });
  if (!open_ || found == kFronts.end()) return std::nullopt;
  const auto front = static_cast<Index>(found - kFronts.begin());
  if (!fits(piece, point, front)) return std::nullopt;
  std::vector<Item>& items = items_[front];
  items.insert(std::ranges::upper_bound(items, piece, {}, &Item::piece), {piece, point});
  return front;
}

bool KernelFronts::fits(const PieceOf& piece, const Point& point, Index front) const {
  std::size_t count = 0;
  for (Index i = 0; i < items_.size(); ++i) {
    count += items_[i].size();
    for (const Item& item : items_[i]) {
      if (!overlap(kFronts[front], point, kFronts[i], item.point)) continue;
      if (i == front) return false;
      if (i < front ? piece.label > item.piece.label : piece.label < item.piece.label) return false;
    }
  }
  return count < kMostItems;
}

std::optional<KernelFronts::Index> KernelFronts::remove(const PieceOf& piece) {
  for (Index i = 0; i < items_.size(); ++i) {
    const auto found = std::ranges::equal_range(items_[i], piece, {}, &Item::piece);
    if (found.empty()) continue;
    items_[i].erase(found.begin());
    return i;
  }
  return std::nullopt;
}

bool KernelFronts::has(const PieceOf& piece) const {
  return std::ranges::any_of(items_, [&](const std::vector<Item>& items) {
    return std::ranges::binary_search(items, piece, {}, &Item::piece);
  });
}

std::vector<PieceOf> KernelFronts::pieces(Index front) const {
  std::vector<PieceOf> pieces;
  for (const Item& item : items_[front]) pieces.push_back(item.piece);
  return pieces;
}

std::string front_name(const Front& front) {
  return "labels/" + KernelGroup(Direction::In, front.family).table_name(front.shape);
}

}  // namespace rules
