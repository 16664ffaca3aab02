#include "rules/row_pool.h"

#include <algorithm>
#include <utility>

namespace rules {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ hash >> 29U;
}

template <typename Range>
std::size_t hash_of(const Range& values) {
  std::uint64_t hash = 0;
  for (const auto value : values) hash = mix(hash, value);
  return hash;
}

template <typename Item, typename Map>
std::uint32_t number_of(const Item& item, std::vector<Item>& items, Map& numbers) {
  const auto [known, is_new] = numbers.try_emplace(item, static_cast<std::uint32_t>(items.size()));
  if (is_new) items.push_back(item);
  return known->second;
}

std::size_t round_up(std::size_t count, std::size_t unit) {
  return (count + unit - 1) / unit;
}

}  // namespace

std::size_t RowPool::memory_bytes() const {
  return blocks.capacity() * sizeof(Block) + rows.capacity() * sizeof(Row);
}

std::size_t RowPoolBuilder::Hash::operator()(const Block& block) const {
  return hash_of(block.words);
}

std::size_t RowPoolBuilder::Hash::operator()(const Row& row) const {
  return hash_of(row.blocks);
}

RowPoolBuilder::RowPoolBuilder() {
  add(Block{});
}

std::uint32_t RowPoolBuilder::add(const Block& block) {
  return number_of(block, pool_.blocks, blocks_);
}

std::uint32_t RowPoolBuilder::add(const Row& row) {
  return number_of(row, pool_.rows, rows_);
}

RowPool RowPoolBuilder::take() && {
  pool_.blocks.shrink_to_fit();
  pool_.rows.shrink_to_fit();
  return std::move(pool_);
}

ChangingRows::ChangingRows(std::size_t rules, RowPoolBuilder& pool)
    : pool_{pool},
      blocks_(round_up(rules, kBlockRules)),
      rows_(round_up(rules, kRowRules)),
      row_numbers_(rows_.size(), pool.add(Row{})) {}

void ChangingRows::flip(std::span<const WordMask> masks) {
  for (const auto& [word, mask] : masks) {
    const auto block = static_cast<std::uint32_t>(word / kBlockWords);
    blocks_[block].words[word % kBlockWords] ^= mask;
    if (changed_.empty() || changed_.back() != block) changed_.push_back(block);
  }
}

std::span<const std::uint32_t> ChangingRows::rows() {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  for (std::size_t at = 0; at < changed_.size(); ++at) {
    const std::uint32_t block = changed_[at];
    const std::uint32_t number = pool_.add(blocks_[block]);
    const std::size_t row = block / kRowBlocks;
    const std::size_t place = block % kRowBlocks;
    const std::uint32_t bit = 1U << place;
    rows_[row].blocks[place] = number;
    rows_[row].occupied = number != 0 ? rows_[row].occupied | bit : rows_[row].occupied & ~bit;
    const bool last_of_row = at + 1 == changed_.size() || changed_[at + 1] / kRowBlocks != row;
    if (last_of_row) row_numbers_[row] = pool_.add(rows_[row]);
  }
  changed_.clear();
  return row_numbers_;
}

}  // namespace rules
