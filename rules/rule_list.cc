#include "rules/rule_list.h"

#include <utility>

#include "rules/policy.h"

namespace rules {
namespace {

auto position(auto& entries, std::size_t index) {
  return entries.begin() + static_cast<std::ptrdiff_t>(index);
}

}  // namespace

RuleList::RuleList(std::vector<Rule> rules) {
  entries_->reserve(rules.size());
  for (Rule& rule : rules) push_back(std::move(rule));
}

RuleList::RuleList(std::initializer_list<Rule> rules) : RuleList(std::vector<Rule>(rules)) {}

// The rules lie anywhere in memory: each is asked for before its turn.
std::optional<std::size_t> RuleList::index_of(const RuleId& id) const {
  constexpr std::size_t kAhead = 16;
  const Entries& entries = *entries_;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kAhead < entries.size()) __builtin_prefetch(&entries[i + kAhead].rule->id);
    if (entries[i].rule->id == id) return i;
  }
  return std::nullopt;
}

// To be changed: nobody else's any more, and with room for the rule that an edit mostly brings.
RuleList::Entries& RuleList::own() {
  if (entries_.use_count() == 1) return *entries_;
  auto copy = std::make_shared<Entries>();
  copy->reserve(entries_->size() + 1);
  copy->assign(entries_->begin(), entries_->end());
  entries_ = std::move(copy);
  return *entries_;
}

void RuleList::push_back(Rule rule, const Written& written) {
  own().push_back({std::make_shared<const Rule>(std::move(rule)), written});
}

void RuleList::insert(std::size_t index, Rule rule, const Written& written) {
  Entries& entries = own();
  entries.insert(position(entries, index),
                 {std::make_shared<const Rule>(std::move(rule)), written});
}

void RuleList::replace(std::size_t index, Rule rule, const Written& written) {
  own()[index] = {std::make_shared<const Rule>(std::move(rule)), written};
}

void RuleList::erase(std::size_t index) {
  Entries& entries = own();
  entries.erase(position(entries, index));
}

void RuleList::move_written(std::size_t from_line, std::ptrdiff_t lines, std::ptrdiff_t bytes) {
  const auto move = [](std::uint32_t& number, std::ptrdiff_t by) {
    number = static_cast<std::uint32_t>(std::ptrdiff_t{number} + by);
  };
  for (Entry& entry : own()) {
    Written& written = entry.written;
    if (written.source != 0 || written.line < from_line) continue;
    move(written.line, lines);
    move(written.offset, bytes);
  }
}

}  // namespace rules
