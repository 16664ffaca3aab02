// One field of the packet as the classifier sees it: the field's values ("keys") are cut into
// intervals within which the same rules match, and each interval knows the set of these rules. This
// is the bit vector scheme of Lakshman and Stiliadis (SIGCOMM 1998, 10.1145/285237.285283).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "rules/row_pool.h"

namespace rules {

// Inclusive. Keys are unsigned.
template <typename Key>
struct KeyRange {
  Key first = 0;
  Key last = static_cast<Key>(~Key{0});

  auto operator<=>(const KeyRange&) const = default;
};

template <typename Key>
using KeyRanges = std::vector<KeyRange<Key>>;

template <typename Key>
class Dimension {
 public:
  // Whether there is a rule that doesn't take every key.
  bool selective() const noexcept { return selective_; }

  // The rows of the rules that take this key, one row number for every kRowRules rules.
  const std::uint32_t* rows(Key key) const noexcept {
    const Key* interval = starts_.data();
    // Halving without a branch that the processor could guess wrong.
    for (std::size_t left = starts_.size(); left > 1;) {
      const std::size_t half = left / 2;
      interval += static_cast<std::size_t>(interval[half] <= key) * half;
      left -= half;
    }
    return rows_.data() + static_cast<std::size_t>(interval - starts_.data()) * rows_per_interval_;
  }

  std::size_t memory_bytes() const {
    return starts_.capacity() * sizeof(Key) + rows_.capacity() * sizeof(std::uint32_t);
  }

 private:
  template <typename>
  friend class DimensionBuilder;

  std::vector<Key> starts_;          // first key of each interval; the first is 0
  std::vector<std::uint32_t> rows_;  // of all intervals, one after the other
  std::size_t rows_per_interval_ = 0;
  bool selective_ = false;
};

template <typename Key>
class DimensionBuilder {
 public:
  using KeySet = std::uint32_t;

  // Rules often share a set of keys; it is swept once for all of them.
  KeySet key_set(KeyRanges<Key> ranges) {
    const auto next = static_cast<KeySet>(key_sets_.size());
    return key_sets_.try_emplace(normal(std::move(ranges)), next).first->second;
  }

  // What the next rule takes. Every rule has one.
  void add(KeySet keys) { rules_.push_back(keys); }

  Dimension<Key> build(RowPoolBuilder& pool) const {
    const auto masks = masks_of_key_sets();
    const auto changes = sorted_changes();
    ChangingRows set{rules_.size(), pool};
    Dimension<Key> dimension;
    Key start = 0;
    for (auto change = changes.begin();; start = change->at) {
      for (; change != changes.end() && change->at == start; ++change)
        set.flip(masks[change->keys]);
      const auto rows = set.rows();
      dimension.starts_.push_back(start);
      dimension.rows_.insert(dimension.rows_.end(), rows.begin(), rows.end());
      if (change == changes.end()) break;
    }
    dimension.rows_per_interval_ = dimension.rows_.size() / dimension.starts_.size();
    dimension.selective_ = !takes_everything();
    dimension.starts_.shrink_to_fit();
    dimension.rows_.shrink_to_fit();
    return dimension;
  }

 private:
  struct Change {
    Key at;
    KeySet keys;  // begins or ends here
  };

  // Sorted, disjoint, merged where they overlap or touch.
  static KeyRanges<Key> normal(KeyRanges<Key> ranges) {
    std::sort(ranges.begin(), ranges.end());
    KeyRanges<Key> merged;
    for (const auto& range : ranges) {
      if (!merged.empty() &&
          (range.first <= merged.back().last || range.first == merged.back().last + 1)) {
        merged.back().last = std::max(merged.back().last, range.last);
      } else {
        merged.push_back(range);
      }
    }
    return merged;
  }

  bool takes_everything() const {
    return key_sets_.size() == 1 && key_sets_.begin()->first == KeyRanges<Key>{KeyRange<Key>{}};
  }

  std::vector<std::vector<WordMask>> masks_of_key_sets() const {
    std::vector<std::vector<WordMask>> masks(key_sets_.size());
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      auto& mine = masks[rules_[rule]];
      const auto word = static_cast<std::uint32_t>(rule / kWordRules);
      if (mine.empty() || mine.back().word != word) mine.push_back({word, 0});
      mine.back().mask |= std::uint64_t{1} << rule % kWordRules;
    }
    return masks;
  }

  std::vector<Change> sorted_changes() const {
    std::vector<Change> changes;
    for (const auto& [ranges, keys] : key_sets_) {
      for (const auto& range : ranges) {
        changes.push_back({range.first, keys});
        if (range.last != KeyRange<Key>{}.last) changes.push_back({range.last + 1, keys});
      }
    }
    std::sort(changes.begin(), changes.end(),
              [](const Change& a, const Change& b) { return a.at < b.at; });
    return changes;
  }

  std::map<KeyRanges<Key>, KeySet> key_sets_;
  std::vector<KeySet> rules_;
};

}  // namespace rules
