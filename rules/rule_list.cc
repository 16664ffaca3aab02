#include "rules/rule_list.h"

#include <algorithm>
#include <utility>

#include "rules/policy.h"

namespace rules {
namespace {

auto position(auto& entries, std::size_t index) {
  return entries.begin() + static_cast<std::ptrdiff_t>(index);
}

std::uint64_t key_of(const RuleId& id) {
  return id.number().value_or(0);
}

std::uint8_t says_more_than_key(const Rule& rule) {
  return rule.log != Log::Default || rule.comment || !rule.id.number() ? 1 : 0;
}

bool is_limit(const Rule& rule) {
  return rule.action == Action::Limit;
}

// If it is in the main file, from that line on.
void move(Written& written, std::size_t from_line, std::ptrdiff_t lines, std::ptrdiff_t bytes) {
  const auto add = [](std::uint32_t& number, std::ptrdiff_t by) {
    number = static_cast<std::uint32_t>(std::ptrdiff_t{number} + by);
  };
  if (written.source != 0 || written.line < from_line) return;
  add(written.line, lines);
  add(written.offset, bytes);
}

template <typename T>
std::vector<T> with(const std::vector<T>& items, std::size_t index, T item) {
  std::vector<T> more;
  more.reserve(items.size() + 1);
  more.assign(items.begin(), position(items, index));
  more.push_back(item);
  more.insert(more.end(), position(items, index), items.end());
  return more;
}

}  // namespace

RuleList::RuleList(std::vector<Rule> rules) {
  entries_->rules.reserve(rules.size());
  entries_->keys.reserve(rules.size());
  for (Rule& rule : rules) push_back(std::move(rule));
}

RuleList::RuleList(std::initializer_list<Rule> rules) : RuleList(std::vector<Rule>(rules)) {}

std::optional<std::size_t> RuleList::index_of(const RuleId& id) const {
  const std::uint64_t wanted = key_of(id);
  const std::vector<std::uint64_t>& keys = entries_->keys;
  for (auto at = keys.begin(); (at = std::find(at, keys.end(), wanted)) != keys.end(); ++at) {
    const auto index = static_cast<std::size_t>(at - keys.begin());
    if (entries_->rules[index].rule->id == id) return index;
  }
  return std::nullopt;
}

std::size_t RuleList::next_that_says_more(std::size_t index) const {
  const std::vector<std::uint8_t>& say_more = entries_->say_more;
  const auto found = std::find(position(say_more, index), say_more.end(), 1);
  return static_cast<std::size_t>(found - say_more.begin());
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
  fill(copy->say_more, entries_->say_more);
  copy->limits = entries_->limits;
  entries_ = std::move(copy);
  return *entries_;
}

void RuleList::push_back(Rule rule, const Written& written) {
  insert(size(), std::move(rule), written);
}

void RuleList::insert(std::size_t index, Rule rule, const Written& written) {
  Entries& entries = own();
  if (is_limit(rule)) ++entries.limits;
  entries.keys.insert(position(entries.keys, index), key_of(rule.id));
  entries.say_more.insert(position(entries.say_more, index), says_more_than_key(rule));
  entries.rules.insert(position(entries.rules, index),
                       {std::make_shared<const Rule>(std::move(rule)), written});
}

void RuleList::replace(std::size_t index, Rule rule, const Written& written) {
  Entries& entries = own();
  if (is_limit(*entries.rules[index].rule)) --entries.limits;
  if (is_limit(rule)) ++entries.limits;
  entries.keys[index] = key_of(rule.id);
  entries.say_more[index] = says_more_than_key(rule);
  entries.rules[index] = {std::make_shared<const Rule>(std::move(rule)), written};
}

void RuleList::erase(std::size_t index) {
  Entries& entries = own();
  if (is_limit(*entries.rules[index].rule)) --entries.limits;
  entries.keys.erase(position(entries.keys, index));
  entries.say_more.erase(position(entries.say_more, index));
  entries.rules.erase(position(entries.rules, index));
}

// All at once: a list has tens of thousands of rules, and each pass over them takes a tenth of what an edit takes.
void RuleList::insert_line(std::size_t index, Rule rule, const Written& written,
                           std::ptrdiff_t bytes) {
  const Entries& before = *entries_;
  auto after = std::make_shared<Entries>();
  after->rules.reserve(before.rules.size() + 1);
  const auto take = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i)
      move(after->rules.emplace_back(before.rules[i]).written, written.line, 1, bytes);
  };
  take(0, index);
  after->keys = with(before.keys, index, key_of(rule.id));
  after->say_more = with(before.say_more, index, says_more_than_key(rule));
  after->limits = before.limits + (is_limit(rule) ? 1 : 0);
  after->rules.push_back({std::make_shared<const Rule>(std::move(rule)), written});
  take(index, before.rules.size());
  entries_ = std::move(after);
}

void RuleList::move_written(std::size_t from_line, std::ptrdiff_t lines, std::ptrdiff_t bytes) {
  for (Entry& entry : own().rules) move(entry.written, from_line, lines, bytes);
}

}  // namespace rules
