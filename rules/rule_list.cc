#include "rules/rule_list.h"

#include <utility>

#include "rules/policy.h"

namespace rules {
namespace {

auto position(auto& entries, std::size_t index) {
  return entries.begin() + static_cast<std::ptrdiff_t>(index);
}

// A name is no number: that of such a rule says more.
std::uint64_t key_of(const Rule& rule) {
  const auto number = rule.id.number();
  const bool more = !number || rule.log != Log::Default || rule.comment;
  return (number.value_or(0) | 1) - (more ? 0 : 1);
}

}  // namespace

RuleList::RuleList(std::vector<Rule> rules) {
  entries_->rules.reserve(rules.size());
  entries_->keys.reserve(rules.size());
  for (Rule& rule : rules) push_back(std::move(rule));
}

RuleList::RuleList(std::initializer_list<Rule> rules) : RuleList(std::vector<Rule>(rules)) {}

std::optional<std::size_t> RuleList::index_of(const RuleId& id) const {
  const std::uint64_t wanted = id.number().value_or(0) | 1;
  const std::vector<std::uint64_t>& keys = entries_->keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if ((keys[i] | 1) == wanted && entries_->rules[i].rule->id == id) return i;
  }
  return std::nullopt;
}

void RuleList::Entries::count(const Rule& rule, std::ptrdiff_t by) {
  if (rule.action == Action::Limit) limits += static_cast<std::size_t>(by);
}

// To be changed: nobody else's any more, and with room for the rule that an edit mostly brings.
RuleList::Entries& RuleList::own() {
  if (entries_.use_count() == 1) return *entries_;
  auto copy = std::make_shared<Entries>();
  const auto fill = [](auto& to, const auto& from) {
    to.reserve(from.size() + 1);
    to.assign(from.begin(), from.end());
  };
  fill(copy->rules, entries_->rules);
  fill(copy->keys, entries_->keys);
  copy->limits = entries_->limits;
  entries_ = std::move(copy);
  return *entries_;
}

void RuleList::push_back(Rule rule, const Written& written) {
  insert(size(), std::move(rule), written);
}

void RuleList::insert(std::size_t index, Rule rule, const Written& written) {
  Entries& entries = own();
  entries.count(rule, 1);
  entries.keys.insert(position(entries.keys, index), key_of(rule));
  entries.rules.insert(position(entries.rules, index),
                       {std::make_shared<const Rule>(std::move(rule)), written});
}

void RuleList::replace(std::size_t index, Rule rule, const Written& written) {
  Entries& entries = own();
  entries.count(*entries.rules[index].rule, -1);
  entries.count(rule, 1);
  entries.keys[index] = key_of(rule);
  entries.rules[index] = {std::make_shared<const Rule>(std::move(rule)), written};
}

void RuleList::erase(std::size_t index) {
  Entries& entries = own();
  entries.count(*entries.rules[index].rule, -1);
  entries.keys.erase(position(entries.keys, index));
  entries.rules.erase(position(entries.rules, index));
}

void RuleList::move_written(std::size_t from_line, std::ptrdiff_t lines, std::ptrdiff_t bytes) {
  const auto move = [](std::uint32_t& number, std::ptrdiff_t by) {
    number = static_cast<std::uint32_t>(std::ptrdiff_t{number} + by);
  };
  for (Entry& entry : own().rules) {
    Written& written = entry.written;
    if (written.source != 0 || written.line < from_line) continue;
    move(written.line, lines);
    move(written.offset, bytes);
  }
}

}  // namespace rules
