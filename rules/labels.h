// Labels for the rules of a policy: numbers that grow with a rule's place, with gaps, so that a rule
// put between two others needs no other's label changed (order maintenance, as in Dietz and Sleator,
// STOC 1987). Entry points: number_rules(), number_between(), spread_labels().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rules {

// 1 to kDefaultLabel - 1 for a rule; the default comes behind all of them.
using Label = std::uint32_t;
inline constexpr Label kDefaultLabel = 0xfffff;
inline constexpr std::size_t kMostLabels = kDefaultLabel - 1;
inline constexpr unsigned kLabelShift = 12;  // where a packet's priority carries the label

// The policy's built-in rules come before its own. Numbered anew they get the first labels, so that between them and the
// policy's first rule there is as much room as behind its last one.
inline constexpr Label kFirstLabels = 64;

// One label for each rule, in order; so many of the first are built-in. `before` has the label that each had in the
// previous plan. As many as can be are kept; where a gap is too small, all are given out anew. At most kMostLabels rules.
std::vector<Label> number_rules(std::span<const std::optional<Label>> before,
                                std::size_t builtins = 0);

// The same for rules that lie between two others which keep their labels: `low` is the label before them, 0 where
// they are the first, `high` the one behind them, kDefaultLabel where they are the last. Nothing where the gap is
// too small, or where there is no other and none of them had a label: all are to be given out anew.
std::optional<std::vector<Label>> number_between(std::span<const std::optional<Label>> before,
                                                 Label low, Label high);

// `count` labels between those two, as far from one another as can be. Nothing where they would be too close for
// that many: the fewer they are, the more room there must be, so that a place where one rule after the other is put is
// relabelled with ever more of its surroundings, and seldom (Bender et al., ESA 2002, "Two simplified algorithms for
// maintaining order in a list").
std::optional<std::vector<Label>> spread_labels(std::size_t count, Label low, Label high);

}  // namespace rules
