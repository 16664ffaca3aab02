#include "rules/kernel_group.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include <fmt/core.h>

namespace rules {
namespace {

using Item = KernelGroup::Item;
using Table = KernelGroup::Table;

constexpr std::uint64_t bucket_number(const Item& item) {
  return item.bucket;
}

template <typename T>
void insert_sorted(std::vector<T>& items, const T& item) {
  items.insert(std::ranges::upper_bound(items, item), item);
}

template <typename T>
bool erase_sorted(std::vector<T>& items, const T& item) {
  const auto found = std::ranges::lower_bound(items, item);
  if (found == items.end() || *found != item) return false;
  items.erase(found);
  return true;
}

Label first_label(const std::vector<Item>& items) {
  Label first = kDefaultLabel;
  for (const Item& item : items) first = std::min(first, item.piece.label);
  return first;
}

}  // namespace

std::string KernelGroup::name() const {
  std::string name(to_string(direction_));
  if (family_) name += *family_ == Family::V4 ? '4' : '6';
  return name;
}

std::string KernelGroup::table_name(const Shape& shape) const {
  return fmt::format("{}/{}.{}{}{}{}", name(), shape.source, shape.destination,
                     shape.protocol ? "p" : "", shape.source_port ? "s" : "",
                     shape.destination_port ? "d" : "");
}

const Table* KernelGroup::table(const Shape& shape) const {
  const auto found = std::ranges::find(tables_, shape, &Table::shape);
  return found == tables_.end() ? nullptr : &*found;
}

std::span<const Item> KernelGroup::bucket(const Table& table, std::uint64_t bucket) {
  const auto found = std::ranges::equal_range(table.items, bucket, {}, bucket_number);
  return {found.begin(), found.end()};
}

Place KernelGroup::add(const PieceOf& piece, const Point& point, const PointOf& point_of) {
  Table* best = nullptr;
  std::size_t fewest = kBucket;
  for (Table& table : tables_) {
    if (!table.shape.within(point.shape)) continue;
    const auto items = bucket(table, bucket_of(point, table.shape));
    if (items.size() >= fewest) continue;
    const bool same =
        items.empty() || share_bucket(point, point_of(items.front().piece), table.shape);
    if (!same) continue;
    best = &table;
    fewest = items.size();
  }
  if (best == nullptr) {
    insert_sorted(list_, piece);
    return std::nullopt;
  }
  insert_sorted(best->items, {bucket_of(point, best->shape), piece});
  best->first = std::min(best->first, piece.label);
  return best->shape;
}

Place KernelGroup::remove(const PieceOf& piece, const Point& point) {
  if (erase_sorted(list_, piece)) return std::nullopt;
  for (Table& table : tables_) {
    if (!table.shape.within(point.shape)) continue;
    if (!erase_sorted(table.items, {bucket_of(point, table.shape), piece})) continue;
    const Shape shape = table.shape;
    if (table.first == piece.label) table.first = first_label(table.items);
    if (table.items.empty()) tables_.erase(tables_.begin() + (&table - tables_.data()));
    return shape;
  }
  return std::nullopt;
}

void KernelGroup::clear() {
  tables_.clear();
  list_.clear();
  list_when_placed_ = 0;
}

void KernelGroup::fill(const std::vector<PieceOf>& pieces, const std::vector<Point>& points,
                       const std::vector<Place>& places) {
  std::vector<std::pair<Item, std::size_t>> sorted;
  clear();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!places[i]) {
      list_.push_back(pieces[i]);
    } else if (table(*places[i]) == nullptr) {
      tables_.push_back({*places[i], pieces[i].label, {}});
    }
  }
  for (Table& table : tables_) {
    sorted.clear();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (places[i] == table.shape)
        sorted.push_back({{bucket_of(points[i], table.shape), pieces[i]}, i});
    }
    std::ranges::sort(sorted);
    table.items.reserve(sorted.size());
    std::size_t first = 0;  // of the bucket
    for (const auto& [item, at] : sorted) {
      const bool follows = !table.items.empty() && table.items.back().bucket == item.bucket;
      if (!follows) first = at;
      if (!follows || share_bucket(points[first], points[at], table.shape)) {
        table.items.push_back(item);
      } else {
        list_.push_back(item.piece);
      }
    }
    table.first = first_label(table.items);
  }
  std::ranges::sort(list_);
  list_when_placed_ = list_.size();
}

bool KernelGroup::place_anew(const std::vector<PieceOf>& pieces, const std::vector<Point>& points) {
  const std::vector<Place> places = place(points);
  const auto left = static_cast<std::size_t>(std::ranges::count(places, Place{}));
  if (!list_.empty() && left + kShortList / 2 > list_.size()) {
    list_when_placed_ = list_.size();
    return false;
  }
  fill(pieces, points, places);
  return true;
}

std::optional<KernelGroup::Opened> KernelGroup::open_table(const std::vector<Point>& points) {
  std::vector<Shape> shapes;
  for (const Table& table : tables_) shapes.push_back(table.shape);
  const std::optional<Shape> shape = shape_of_table(points, shapes);
  if (!shape) return std::nullopt;
  Opened opened{*shape, {}};
  Table table{*shape, kDefaultLabel, {}};
  std::unordered_map<std::uint64_t, std::pair<std::size_t, std::size_t>> buckets;  // first, count
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!shape->within(points[i].shape)) continue;
    const std::uint64_t number = bucket_of(points[i], *shape);
    auto& [first, count] = buckets.try_emplace(number, i, 0).first->second;
    if (count == kBucket || !share_bucket(points[first], points[i], *shape)) continue;
    ++count;
    table.items.push_back({number, list_[i]});
    opened.pieces.push_back(list_[i]);
  }
  std::ranges::sort(table.items);
  table.first = first_label(table.items);
  tables_.push_back(std::move(table));
  std::erase_if(list_, [&](const PieceOf& piece) {
    return std::ranges::binary_search(opened.pieces, piece);
  });
  return opened;
}

// What comes first in the policy is looked for first: it spares the tables behind it.
KernelGroup::Summary KernelGroup::summary() const {
  Summary summary;
  for (const Table& table : tables_) summary.tables.emplace_back(table.first, table.shape);
  std::ranges::sort(summary.tables);
  if (!list_.empty()) summary.list = list_.front().label;
  return summary;
}

}  // namespace rules
