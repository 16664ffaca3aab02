#include "rules/edit.h"

#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "rules/byte_block.h"
#include "rules/lexer.h"
#include "rules/parser.h"
#include "rules/policy_hash.h"
#include "rules/printer.h"
#include "rules/report.h"
#include "rules/text.h"

namespace rules {
namespace {

// Where line `number` starts, from 1; the end of the text for one that it doesn't have.
std::size_t line_begin(std::string_view text, std::size_t number) {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < number; ++line) {
    const std::size_t newline = text.find('\n', begin);
    if (newline == std::string_view::npos) return text.size();
    begin = newline + 1;
  }
  return begin;
}

// Without its end.
std::string line_of(std::string_view text, std::size_t number) {
  const std::size_t begin = line_begin(text, number);
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return std::string(line);
}

// The one that a line at the text's end would have.
std::size_t line_behind(std::string_view text) {
  const std::size_t ends = byte_block::count(text, '\n');
  return text.empty() || text.ends_with('\n') ? ends + 1 : ends + 2;
}

// As the text's first line ends.
std::string_view line_ending(std::string_view text) {
  const std::size_t newline = text.find('\n');
  return newline != std::string_view::npos && newline > 0 && text[newline - 1] == '\r' ? "\r\n"
                                                                                       : "\n";
}

// As line `number`. A last line without an end stays the one without.
std::string insert_line(std::string_view text, std::size_t number, std::string_view line) {
  const std::size_t at = line_begin(text, number);
  const std::string_view end = line_ending(text);
  const bool after_open_line = at > 0 && at == text.size() && text[at - 1] != '\n';
  std::string result;
  result.reserve(text.size() + line.size() + end.size());
  result += text.substr(0, at);
  if (after_open_line) {
    (result += end) += line;
  } else {
    ((result += line) += end) += text.substr(at);
  }
  return result;
}

// Where a new rule goes: its line in the main file, and its index.
struct RulePlace {
  std::size_t line;
  std::size_t index;
};

class Places {
 public:
  explicit Places(const EditBase& base)
      : policy_(base.policy), rules_(base.policy.rules), includes_(base.outline.includes) {}

  RulePlace append() const {
    std::size_t last = includes_.empty() ? 0 : includes_.back().line;
    for (std::size_t i = rules_.size(); i-- > 0;) {
      if (!in_main(i)) continue;
      last = std::max(last, line(i));
      break;
    }
    return {last == 0 ? line_behind(policy_.sources->main.text) : last + 1, rules_.size()};
  }

  // Where a line becomes rule `position`: below the rule before it, so that comments above the next
  // one stay with that, else above the next rule or the include that brings it.
  std::expected<RulePlace, Diagnostic> insert(std::size_t position) const {
    const std::size_t index = position - 1;
    if (index == rules_.size()) return append();
    if (index > 0 && in_main(index - 1)) return RulePlace{line(index - 1) + 1, index};
    if (in_main(index)) return RulePlace{line(index), index};
    const auto include =
        std::ranges::find(includes_.rbegin(), includes_.rend(), index, &IncludePlace::rules_before);
    if (include != includes_.rend()) return RulePlace{include->line, index};
    return refuse(fmt::format("rule {} would stand in an included file", position),
                  fmt::format("edit {} and apply the policy", policy_.file(index)),
                  policy_.where(index));
  }

 private:
  bool in_main(std::size_t index) const { return rules_.written(index).source == 0; }
  std::size_t line(std::size_t index) const { return rules_.written(index).line; }

  const Policy& policy_;
  const RuleList& rules_;
  const std::vector<IncludePlace>& includes_;
};

// Everything that stands in the main file from line `from` on, but for rules. `lines` is 1 or -1, for one rule.
void move_others(PolicyEdit& edit, std::size_t from, std::ptrdiff_t lines) {
  const auto move = [lines](std::size_t& number) {
    number = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(number) + lines);
  };
  const std::string& main = edit.policy.sources->main.name;
  const auto move_place = [&](Location& where) {
    if (where.file == main && where.line >= from) move(where.line);
  };
  for (auto& [name, set] : edit.policy.sets) move_place(set.where);
  for (Expect& expect : edit.outline.expects) move_place(expect.where);
  for (IncludePlace& include : edit.outline.includes) {
    if (include.line < from) continue;
    move(include.line);
    move(include.rules_before);
  }
}

// With the rules. `lines` may be 0, where a line alone changes.
void move_places(PolicyEdit& edit, std::size_t from, std::ptrdiff_t lines, std::ptrdiff_t bytes) {
  edit.policy.rules.move_written(from, lines, bytes);
  if (lines != 0) move_others(edit, from, lines);
}

struct ReadRule {
  Rule rule;
  Written written;
};

// From what is to stand on line `number` of the main file. The line's place in the text isn't known yet.
std::expected<ReadRule, Diagnostic> read_rule(const EditBase& base, std::string_view line,
                                              std::size_t number) {
  const auto parsed = parse_rule(line);
  if (!parsed) return std::unexpected(parsed.error());
  auto rule = resolve_rule(parsed->rule, base.policy, base.services);
  if (!rule) return std::unexpected(rule.error());
  const Span& where = parsed->rule.where;
  return ReadRule{*std::move(rule),
                  {static_cast<std::uint32_t>(number), where.offset, where.length, 0}};
}

// Commands change the main file only.
std::optional<Diagnostic> check_place(const EditBase& base, std::size_t index) {
  if (base.policy.rules.written(index).source == 0) return std::nullopt;
  return refuse("the rule stands in an included file, which commands don't change",
                fmt::format("edit {} and apply the policy", base.policy.file(index)),
                base.policy.where(index))
      .error();
}

PolicyEdit edit_of(const EditBase& base, PolicyEdit::Kind kind, std::string text,
                   std::size_t index) {
  const SourceTree& before = *base.policy.sources;
  auto sources = std::make_shared<const SourceTree>(
      SourceTree{{before.main.name, std::move(text)}, before.includes});
  base.on_text(sources);
  PolicyEdit edit{kind, base.policy, base.outline, index};
  edit.policy.sources = std::move(sources);
  return edit;
}

Edited insert_at(const EditBase& base, const RulePlace& place, std::string_view rule_text) {
  const std::string_view line = trim(rule_text);
  auto read = read_rule(base, line, place.line);
  if (!read) return std::unexpected(std::move(read.error()));
  const std::string& before = base.policy.sources->main.text;
  std::string text = insert_line(before, place.line, line);
  const auto more = static_cast<std::ptrdiff_t>(text.size() - before.size());
  PolicyEdit edit = edit_of(base, PolicyEdit::Kind::Added, std::move(text), place.index);
  move_others(edit, place.line, 1);
  read->written.offset +=
      static_cast<std::uint32_t>(line_begin(edit.policy.sources->main.text, place.line));
  edit.policy.rules.insert_line(place.index, std::move(read->rule), read->written, more);
  edit.policy.hash = hash_of(edit.policy);
  return edit;
}

// Clauses of one rule in a line, put in the place of what is there.
class LineEdit {
 public:
  LineEdit(std::string_view text, std::size_t end) : text_(text), end_(end) {}

  // An empty `clause` takes away the one at `where`, an empty `where` is the end of the statement.
  void put(const Span& where, std::string clause) {
    if (where.length > 0) {
      pieces_.push_back({where.begin(), where.end(), std::move(clause)});
    } else if (!clause.empty()) {
      pieces_.push_back({end_, end_, ' ' + clause});
    }
  }

  std::string text() {
    std::ranges::stable_sort(pieces_, {}, &Piece::begin);
    std::string result;
    std::size_t done = 0;
    for (const Piece& piece : pieces_) {
      result += text_.substr(done, piece.begin - done);
      if (piece.text.empty()) result.erase(result.find_last_not_of(" \t") + 1);
      result += piece.text;
      done = piece.end;
    }
    return result += text_.substr(done);
  }

 private:
  struct Piece {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };

  std::string_view text_;
  std::size_t end_;
  std::vector<Piece> pieces_;
};

std::string with_remarks(const ast::Rule& rule, std::string_view line, const Remarks& remarks) {
  LineEdit edit(line, rule.where.end());
  if (remarks.log) edit.put(rule.log_where, log_clause(*remarks.log));
  if (remarks.comment) {
    edit.put(rule.comment_where,
             remarks.comment->empty() ? "" : "comment " + quote(*remarks.comment));
  }
  return edit.text();
}

bool lets_go_on(const Rule& rule) {
  return rule.action == Action::Allow || rule.action == Action::Limit;
}

}  // namespace

bool may_deny_more(const PolicyEdit& edit, const Policy& before) {
  switch (edit.kind) {
    case PolicyEdit::Kind::Added:
      return !lets_go_on(edit.policy.rules[edit.index]);
    case PolicyEdit::Kind::Removed:
      return lets_go_on(before.rules[edit.index]);
    case PolicyEdit::Kind::Remarked:
      return false;
    case PolicyEdit::Kind::SetChanged:
      return true;  // the set may be what rules deny
  }
  __builtin_unreachable();
}

Edited append_rule(const EditBase& base, std::string_view rule_text) {
  return insert_at(base, Places(base).append(), rule_text);
}

Edited insert_rule(const EditBase& base, std::size_t position, std::string_view rule_text) {
  const std::size_t last = base.policy.rules.size() + 1;
  if (position == 0 || position > last) {
    return refuse(fmt::format("there is no position {}", position),
                  fmt::format("positions are 1 to {}", last));
  }
  const auto place = Places(base).insert(position);
  if (!place) return std::unexpected(place.error());
  return insert_at(base, *place, rule_text);
}

Edited change_remarks(const EditBase& base, std::size_t index, const Remarks& remarks) {
  if (auto fault = check_place(base, index)) return std::unexpected(*std::move(fault));
  const std::size_t number = base.policy.rules.written(index).line;
  const std::string before = base.policy.where(index).source_line;
  const auto parsed = parse_rule(before);
  if (!parsed) return std::unexpected(parsed.error());
  const std::string line = with_remarks(parsed->rule, before, remarks);
  auto read = read_rule(base, line, number);
  if (!read) return std::unexpected(std::move(read.error()));
  std::string text = base.policy.sources->main.text;
  const std::size_t begin = line_begin(text, number);
  text.replace(begin, before.size(), line);
  PolicyEdit edit = edit_of(base, PolicyEdit::Kind::Remarked, std::move(text), index);
  move_places(
      edit, number + 1, 0,
      static_cast<std::ptrdiff_t>(line.size()) - static_cast<std::ptrdiff_t>(before.size()));
  read->written.offset += static_cast<std::uint32_t>(begin);
  edit.policy.rules.replace(index, std::move(read->rule), read->written);
  edit.policy.hash = hash_of(edit.policy);
  return edit;
}

Edited remove_rule(const EditBase& base, std::size_t index) {
  if (auto fault = check_place(base, index)) return std::unexpected(*std::move(fault));
  const std::size_t number = base.policy.rules.written(index).line;
  std::string text = base.policy.sources->main.text;
  const std::size_t begin = line_begin(text, number);
  const std::size_t length = std::min(text.find('\n', begin), text.size() - 1) + 1 - begin;
  text.erase(begin, length);
  PolicyEdit edit = edit_of(base, PolicyEdit::Kind::Removed, std::move(text), index);
  edit.policy.rules.erase(index);
  move_places(edit, number + 1, -1, -static_cast<std::ptrdiff_t>(length));
  edit.policy.hash = hash_of(edit.policy);
  return edit;
}

PolicyEdit change_set(const EditBase& base, const std::string& name, SetEdit set) {
  const std::string& before = base.policy.sources->main.text;
  const auto lines = static_cast<std::ptrdiff_t>(byte_block::count(set.text, '\n') -
                                                 byte_block::count(before, '\n'));
  const auto bytes = static_cast<std::ptrdiff_t>(set.text.size() - before.size());
  PolicyEdit edit = edit_of(base, PolicyEdit::Kind::SetChanged, std::move(set.text), 0);
  NamedSet& named = edit.policy.sets.at(name);
  move_places(edit, named.where.line + 1, lines, bytes);
  named.where.source_line = line_of(edit.policy.sources->main.text, named.where.line);
  named.addresses = std::move(set.addresses);
  named.hash = members_hash(named);
  for (std::size_t i = 0; i < edit.policy.rules.size(); ++i) {
    const auto names_it = [&](const AddressMatch& side) { return side.name && *side.name == name; };
    const Match& match = edit.policy.rules[i].match;
    if (!names_it(match.source) && !names_it(match.destination)) continue;
    Rule rule = edit.policy.rules[i];
    for (AddressMatch* side : {&rule.match.source, &rule.match.destination}) {
      if (names_it(*side)) side->members = named.addresses;
    }
    edit.policy.rules.replace(i, std::move(rule), edit.policy.rules.written(i));
    edit.with_set.push_back(i);
  }
  edit.policy.hash = hash_of(edit.policy);
  return edit;
}

}  // namespace rules
