#include "rules/rule_side.h"

#include <algorithm>
#include <utility>

namespace rules {
namespace {

using classifier::Label;
using classifier::Slot;

classifier::Pattern pattern_of(const Match& match, InterfaceNames& names) {
  std::optional<InterfaceId> interface;
  if (match.interface) interface = names.number(*match.interface);
  return {&match, interface};
}

}  // namespace

InterfaceId InterfaceNames::number(const std::string& name) {
  const auto next = static_cast<InterfaceId>(names_.size());
  const auto [known, is_new] = numbers_.try_emplace(name, next);
  if (is_new) names_.push_back(name);
  return known->second;
}

struct RuleSide::Shared {
  explicit Shared(std::span<const classifier::Pattern> patterns,
                  std::shared_ptr<classifier::AddressIndexes> sets)
      : classifier{patterns, std::move(sets)} {}

  classifier::Classifier classifier;
  std::uint64_t age = 0;      // counts what was changed
  std::optional<Label> last;  // that was given out
};

RuleSide::RuleSide(const Policy& policy, Direction direction, InterfaceNames& names,
                   std::shared_ptr<classifier::AddressIndexes> sets)
    : direction_{direction},
      otherwise_{direction == Direction::In ? policy.default_in : policy.default_out,
                 DecidedBy::Default, 0} {
  std::vector<classifier::Pattern> patterns;
  const auto add = [&](const auto& rules, DecidedBy by) {
    std::uint32_t index = 0;
    for (const Rule& rule : rules) {
      const std::uint32_t at = index++;
      if (rule.match.direction != direction) continue;
      slots_.push_back(static_cast<Slot>(slots_.size()));
      patterns.push_back(pattern_of(rule.match, names));
      decisions_.push_back({rule.action, by, at});
    }
  };
  add(policy.builtin_rules, DecidedBy::Builtin);
  add(policy.rules, DecidedBy::Rule);
  shared_ = std::make_shared<Shared>(patterns, std::move(sets));
  version_ = shared_->classifier.publish();
}

bool RuleSide::youngest() const {
  return age_ == shared_->age;
}

RuleSide RuleSide::with_rule(const Rule& rule, std::size_t index, InterfaceNames& names) const {
  RuleSide side = *this;
  side.move_indices(index, 1);
  if (rule.match.direction != direction_) return side;
  const std::size_t at = position(index);
  auto label = label_at(at);
  if (!label) {
    shared_->classifier.renumber();
    shared_->last.reset();
    label = label_at(at);
  }
  const Slot slot = shared_->classifier.insert(pattern_of(rule.match, names), label.value());
  shared_->last = label;
  side.slots_.insert(side.slots_.begin() + static_cast<std::ptrdiff_t>(at), slot);
  if (slot >= side.decisions_.size()) side.decisions_.resize(slot + 1);
  side.decisions_[slot] = {rule.action, DecidedBy::Rule, static_cast<std::uint32_t>(index)};
  side.publish();
  return side;
}

RuleSide RuleSide::without_rule(const Rule& rule, std::size_t index, InterfaceNames& names) const {
  RuleSide side = *this;
  if (rule.match.direction == direction_) {
    const std::size_t at = position(index);
    shared_->classifier.remove(slots_[at], pattern_of(rule.match, names));
    side.slots_.erase(side.slots_.begin() + static_cast<std::ptrdiff_t>(at));
    side.publish();
  }
  side.move_indices(index, -1);
  return side;
}

std::size_t RuleSide::memory_bytes() const noexcept {
  return shared_->classifier.memory_bytes() + slots_.capacity() * sizeof(Slot) +
         decisions_.capacity() * sizeof(Decision);
}

// Among slots_: where the rule of that index is, or would be.
std::size_t RuleSide::position(std::size_t index) const {
  const auto at = std::ranges::partition_point(slots_, [&](Slot slot) {
    const Decision& decision = decisions_[slot];
    return decision.by == DecidedBy::Builtin || decision.index < index;
  });
  return static_cast<std::size_t>(at - slots_.begin());
}

// Between the rules on both sides of that position; nothing where there is no room.
std::optional<Label> RuleSide::label_at(std::size_t position) const {
  const classifier::Classifier& classifier = shared_->classifier;
  const Label low = position == 0 ? 0 : classifier.label(slots_[position - 1]);
  const Label high =
      position == slots_.size() ? classifier::kNoLabel : classifier.label(slots_[position]);
  return classifier::between(low, high, shared_->last);
}

void RuleSide::move_indices(std::size_t from, int by) {
  for (Decision& decision : decisions_) {
    if (decision.by == DecidedBy::Rule && decision.index >= from)
      decision.index += static_cast<std::uint32_t>(by);
  }
}

void RuleSide::publish() {
  version_ = shared_->classifier.publish();
  age_ = ++shared_->age;
}

}  // namespace rules
