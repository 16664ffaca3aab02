// Sets of rules as bit strings: bit i of a row stands for rule i. Rows are made of blocks, and of
// equal blocks and equal rows only one is stored, so that thousands of sets which differ in a few
// rules stay small. Many rules are cut into rows of kRowRules each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace rules {

inline constexpr std::size_t kWordRules = 64;
inline constexpr std::size_t kBlockWords = 8;  // a block is a cache line
inline constexpr std::size_t kBlockRules = kBlockWords * kWordRules;
inline constexpr std::size_t kRowBlocks = 32;
inline constexpr std::size_t kRowRules = kRowBlocks * kBlockRules;

struct alignas(64) Block {
  std::array<std::uint64_t, kBlockWords> words{};

  bool operator==(const Block&) const = default;
};

struct Row {
  std::array<std::uint32_t, kRowBlocks> blocks{};  // by number; block 0 is empty
  std::uint32_t occupied = 0;                      // a bit for each block that isn't empty

  bool operator==(const Row&) const = default;
};

struct RowPool {
  std::vector<Block> blocks;
  std::vector<Row> rows;

  std::size_t memory_bytes() const;
};

class RowPoolBuilder {
 public:
  RowPoolBuilder();

  // The number of the one like it.
  std::uint32_t add(const Block& block);
  std::uint32_t add(const Row& row);

  RowPool take() &&;

 private:
  struct Hash {
    std::size_t operator()(const Block& block) const;
    std::size_t operator()(const Row& row) const;
  };

  RowPool pool_;
  std::unordered_map<Block, std::uint32_t, Hash> blocks_;
  std::unordered_map<Row, std::uint32_t, Hash> rows_;
};

// 64 rules' worth of a set: some bits of one word.
struct WordMask {
  std::uint32_t word = 0;
  std::uint64_t mask = 0;
};

// A set of rules that changes step by step, and the rows that it is made of at each step.
class ChangingRows {
 public:
  ChangingRows(std::size_t rules, RowPoolBuilder& pool);

  // Rules that are in the set leave it, others come in.
  void flip(std::span<const WordMask> masks);
  // One row number for every kRowRules rules. Valid until the next call.
  std::span<const std::uint32_t> rows();

 private:
  RowPoolBuilder& pool_;
  std::vector<Block> blocks_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> row_numbers_;
  std::vector<std::uint32_t> changed_;  // blocks, with repetitions
};

}  // namespace rules
