// Counts by name in bounded memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ctl::report {

// Hashes a string_view and a string alike, so that looking something up makes no string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

// Exact as long as there are no more names than `most`. Beyond that the rarer half is forgotten, again and again: a count
// may then be too low, by no more than shortfall(). Names that are common are never forgotten (Misra and Gries, 1982, has
// the idea).
class Counter {
 public:
  explicit Counter(std::size_t most) : most_(most) {}

  void add(std::string_view name, std::uint64_t count) {
    auto found = counts_.find(name);
    if (found == counts_.end()) {
      if (counts_.size() >= most_) forget();
      found = counts_.emplace(name, 0).first;
    }
    found->second += count;
  }

  // Without what was forgotten.
  std::uint64_t of(std::string_view name) const {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }

  // The most frequent first; names that are equally frequent in their order.
  std::vector<std::pair<std::string, std::uint64_t>> top(std::size_t number) const {
    std::vector<std::pair<std::string, std::uint64_t>> all(counts_.begin(), counts_.end());
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(number, all.size()));
    std::partial_sort(all.begin(), end, all.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    all.erase(end, all.end());
    return all;
  }

  std::size_t size() const { return counts_.size(); }
  std::uint64_t shortfall() const { return shortfall_; }

 private:
  void forget() {
    std::vector<std::uint64_t> values;
    values.reserve(counts_.size());
    for (const auto& [name, count] : counts_) values.push_back(count);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const std::uint64_t limit = *middle;
    std::erase_if(counts_, [limit](const auto& entry) { return entry.second <= limit; });
    shortfall_ += limit;
  }

  std::size_t most_;
  std::unordered_map<std::string, std::uint64_t, TextHash, std::equal_to<>> counts_;
  std::uint64_t shortfall_ = 0;
};

}  // namespace ctl::report
