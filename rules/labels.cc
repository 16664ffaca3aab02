#include "rules/labels.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace rules {
namespace {

constexpr Label kFirst = 1;
constexpr Label kEndStride = 64;  // between rules that are added before the first or after the last

// A quarter of all labels is left for what comes before the rules, another for what comes behind.
std::vector<Label> number_anew(std::size_t count, std::size_t builtins) {
  constexpr Label kMargin = kDefaultLabel / 4;
  const bool roomy = count < kDefaultLabel - 2 * kMargin && builtins < kFirstLabels;
  if (!roomy) builtins = 0;
  const Label first = roomy ? kMargin : kFirst;
  const Label room = roomy ? kDefaultLabel - 2 * kMargin : kDefaultLabel - kFirst;
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < builtins; ++i) labels[i] = kFirst + static_cast<Label>(i);
  for (std::size_t i = builtins; i < count; ++i) {
    const std::uint64_t own = i - builtins;
    labels[i] = first + static_cast<Label>(room * own / (count - builtins));
  }
  return labels;
}

// The longest increasing subsequence (Fredman 1975): what need not change when rules have moved.
std::vector<std::optional<Label>> keep_increasing(std::span<const std::optional<Label>> before) {
  std::vector<std::size_t> ends;  // by length - 1: where the subsequence with the smallest end ends
  std::vector<std::optional<std::size_t>> previous(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!before[i]) continue;
    const auto at = std::ranges::lower_bound(ends, *before[i], {},
                                             [&](std::size_t end) { return *before[end]; });
    if (at != ends.begin()) previous[i] = *std::prev(at);
    if (at == ends.end()) {
      ends.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<std::optional<Label>> kept(before.size());
  if (ends.empty()) return kept;
  for (std::optional<std::size_t> at = ends.back(); at; at = previous[*at]) kept[*at] = before[*at];
  return kept;
}

// Numbers those from `begin` to `end` between their neighbours; false where there isn't room.
bool fill_gap(std::vector<std::optional<Label>>& labels, std::size_t begin, std::size_t end,
              Label before, Label behind) {
  const auto count = static_cast<Label>(end - begin);
  const Label low = begin == 0 ? before : *labels[begin - 1];
  const Label high = end == labels.size() ? behind : *labels[end];
  const bool front = low < kFirstLabels;
  const bool back = high == kDefaultLabel;
  Label step = (high - low) / (count + 1);
  if (step == 0) return false;
  if (front || back) step = std::min(step, kEndStride);
  const Label left = high - low - step * (count + 1);
  const Label start = low + (front && back ? left / 2 : front ? left : 0);
  for (Label i = 0; i < count; ++i) labels[begin + i] = start + step * (i + 1);
  return true;
}

}  // namespace

std::optional<std::vector<Label>> number_between(std::span<const std::optional<Label>> before,
                                                 Label low, Label high) {
  std::vector<std::optional<Label>> labels = keep_increasing(before);
  const bool alone = low == 0 && high == kDefaultLabel;
  if (alone && std::ranges::none_of(labels, [](const auto& label) { return label.has_value(); }))
    return std::nullopt;
  for (std::size_t begin = 0; begin < labels.size(); ++begin) {
    if (labels[begin]) continue;
    std::size_t end = begin;
    while (end < labels.size() && !labels[end]) ++end;
    if (!fill_gap(labels, begin, end, low, high)) return std::nullopt;
  }
  std::vector<Label> numbers;
  numbers.reserve(labels.size());
  for (const std::optional<Label>& label : labels) numbers.push_back(*label);
  return numbers;
}

std::optional<std::vector<Label>> spread_labels(std::size_t count, Label low, Label high) {
  constexpr Label kRoomy = 16;
  constexpr Label kDense = 2;
  const auto shift = static_cast<unsigned>(std::bit_width(count)) / 2;
  const Label least = shift < 4 ? std::max(kDense, kRoomy >> shift) : kDense;
  const Label room = high - low;
  if (room / (count + 1) < least) return std::nullopt;
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < count; ++i)
    labels[i] = low + static_cast<Label>(std::uint64_t{room} * (i + 1) / (count + 1));
  return labels;
}

std::vector<Label> number_rules(std::span<const std::optional<Label>> before,
                                std::size_t builtins) {
  auto numbers = number_between(before, 0, kDefaultLabel);
  return numbers ? std::move(*numbers) : number_anew(before.size(), builtins);
}

}  // namespace rules
