#include "rules/rule_list.h"

#include <utility>

#include "rules/policy.h"

namespace rules {

RuleList::Entry RuleList::entry(Rule rule) {
  const std::size_t line = std::exchange(rule.written.line, 0);
  return {std::make_shared<const Rule>(std::move(rule)), line};
}

RuleList::RuleList(std::vector<Rule> rules) {
  entries_.reserve(rules.size());
  for (Rule& rule : rules) push_back(std::move(rule));
}

RuleList::RuleList(std::initializer_list<Rule> rules) : RuleList(std::vector<Rule>(rules)) {}

Location RuleList::where(std::size_t index) const {
  Location where = entries_[index].rule->written;
  where.line = entries_[index].line;
  return where;
}

void RuleList::push_back(Rule rule) {
  entries_.push_back(entry(std::move(rule)));
}

void RuleList::insert(std::size_t index, Rule rule) {
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(index), entry(std::move(rule)));
}

void RuleList::replace(std::size_t index, Rule rule) {
  entries_[index] = entry(std::move(rule));
}

void RuleList::erase(std::size_t index) {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

void RuleList::move_lines(std::string_view file, std::size_t from, std::ptrdiff_t by) {
  for (Entry& entry : entries_) {
    if (entry.line < from || entry.rule->written.file != file) continue;
    entry.line = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(entry.line) + by);
  }
}

}  // namespace rules
