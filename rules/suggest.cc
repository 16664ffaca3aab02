#include "rules/suggest.h"

#include <algorithm>

#include <fmt/core.h>

namespace rules {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody mistypes longer names by accident

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return std::min(last[b.size()], limit + 1);
}

// A third of the letters may be wrong, at least one and at most three.
Nearest::Nearest(std::string_view word)
    : word_(word.substr(0, kLongestWord + 1)),
      distance_(std::clamp<std::size_t>(word.size() / 3, 1, 3)) {}

// Of names that are as near, the one that begins as the word does: people seldom slip on the first
// letter.
void Nearest::consider(std::string_view name) {
  if (word_.size() > kLongestWord || name.size() > kLongestWord) return;
  const std::size_t distance = edit_distance(word_, name, distance_);
  if (distance > distance_ || distance >= word_.size()) return;
  const std::size_t prefix = common_prefix(word_, name);
  if (!best_.empty() && distance == distance_ && prefix <= prefix_) return;
  distance_ = distance;
  prefix_ = prefix;
  best_ = name;
}

std::optional<std::string> Nearest::found() const {
  if (best_.empty()) return std::nullopt;
  return best_;
}

std::string Nearest::hint(std::string_view prefix) const {
  return best_.empty() ? "" : fmt::format("did you mean \"{}{}\"?", prefix, best_);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names) {
  Nearest nearest(word);
  for (const std::string_view name : names) nearest.consider(name);
  return nearest.hint();
}

}  // namespace rules
