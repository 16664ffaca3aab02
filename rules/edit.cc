#include "rules/edit.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "rules/lexer.h"
#include "rules/parser.h"
#include "rules/report.h"
#include "rules/text.h"

namespace rules {
namespace {

// Where the next line starts, or the end of the text.
std::size_t line_end(std::string_view text, std::size_t from) {
  const std::size_t newline = text.find('\n', from);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

std::size_t line_begin(std::string_view text, std::size_t from) {
  const std::size_t newline = from == 0 ? std::string_view::npos : text.rfind('\n', from - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

// As the text's first line ends.
std::string_view line_ending(std::string_view text) {
  const std::size_t newline = text.find('\n');
  return newline != std::string_view::npos && newline > 0 && text[newline - 1] == '\r' ? "\r\n"
                                                                                       : "\n";
}

// `at` is where a line starts or the text ends. A last line without an end stays the one without.
std::string insert_line(std::string_view text, std::size_t at, std::string_view line) {
  const std::string_view end = line_ending(text);
  const bool after_open_line = at > 0 && at == text.size() && text[at - 1] != '\n';
  return after_open_line ? fmt::format("{}{}{}", text, end, line)
                         : fmt::format("{}{}{}{}", text.substr(0, at), line, end, text.substr(at));
}

const Span& span_of(const ast::Statement& statement) {
  if (const auto* rule = std::get_if<ast::Rule>(&statement)) return rule->where;
  return std::get<ast::Include>(statement).where;
}

// The rules and includes of a policy, which are what a new rule's place depends on.
class Outline {
 public:
  Outline(const SourceTree& tree, const ast::Document& document) : tree_(tree) {
    for (const ast::Statement& statement : document.statements) {
      const bool counts = std::holds_alternative<ast::Rule>(statement) ||
                          std::holds_alternative<ast::Include>(statement);
      if (counts) entries_.push_back(&statement);
    }
  }

  bool in_main(const ast::Statement& statement) const {
    return span_of(statement).source == &tree_.main;
  }

  std::size_t append_at() const {
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(),
                                   [this](const ast::Statement* entry) { return in_main(*entry); });
    return last == entries_.rend() ? tree_.main.text.size() : below(**last);
  }

  // Where a line becomes rule `position`: below the rule before it, so that comments above the next
  // one stay with that, else above the next rule or the include that brings it.
  std::expected<std::size_t, Diagnostic> insert_at(std::size_t position) const {
    const auto next = find_rule(position);
    if (next == entries_.end()) return append_at();
    const auto previous = std::find_if(std::make_reverse_iterator(next), entries_.rend(), is_rule);
    if (previous != entries_.rend() && in_main(**previous)) return below(**previous);
    if (in_main(**next)) return above(**next);
    const auto before = std::make_reverse_iterator(next);
    if (before != entries_.rend() && !is_rule(*before)) return above(**before);
    return refuse(fmt::format("rule {} would stand in an included file", position),
                  fmt::format("edit {} and apply the policy", span_of(**next).source->name),
                  locate(span_of(**next)));
  }

  std::size_t rules() const {
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_rule));
  }

 private:
  using Entries = std::vector<const ast::Statement*>;

  static bool is_rule(const ast::Statement* statement) {
    return std::holds_alternative<ast::Rule>(*statement);
  }

  std::size_t below(const ast::Statement& entry) const {
    return line_end(tree_.main.text, span_of(entry).begin());
  }

  std::size_t above(const ast::Statement& entry) const {
    return line_begin(tree_.main.text, span_of(entry).begin());
  }

  Entries::const_iterator find_rule(std::size_t position) const {
    std::size_t number = 0;
    return std::find_if(entries_.begin(), entries_.end(), [&](const ast::Statement* statement) {
      return is_rule(statement) && ++number == position;
    });
  }

  const SourceTree& tree_;
  Entries entries_;
};

const ast::Rule* find_rule(const ast::Document& document, const Source& source, std::size_t line) {
  for (const ast::Statement& statement : document.statements) {
    const auto* rule = std::get_if<ast::Rule>(&statement);
    const bool here = rule != nullptr && rule->where.source == &source && rule->where.line == line;
    if (here) return rule;
  }
  return nullptr;
}

std::unexpected<Diagnostic> no_rule(const Location& where) {
  return refuse("there is no rule on this line", {}, where);
}

// Commands change the main file only.
std::optional<Diagnostic> check_place(const SourceTree& tree, const Location& where) {
  if (where.file == tree.main.name) return std::nullopt;
  return refuse("the rule stands in an included file, which commands don't change",
                fmt::format("edit {} and apply the policy", where.file), where)
      .error();
}

// Clauses of one rule in a text, put in the place of what is there.
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

// The rule's text must be one rule and nothing else: it becomes a line of the file.
std::optional<Diagnostic> check_rule(std::string_view rule_text) {
  const auto parsed = parse_rule(rule_text);
  if (parsed) return std::nullopt;
  return parsed.error();
}

}  // namespace

Edited append_rule(const SourceTree& tree, std::string_view rule_text) {
  if (auto fault = check_rule(rule_text)) return std::unexpected(*std::move(fault));
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  return insert_line(tree.main.text, Outline(tree, *document).append_at(), trim(rule_text));
}

Edited insert_rule(const SourceTree& tree, std::size_t position, std::string_view rule_text) {
  if (auto fault = check_rule(rule_text)) return std::unexpected(*std::move(fault));
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  const Outline outline(tree, *document);
  if (position == 0 || position > outline.rules() + 1) {
    return refuse(fmt::format("there is no position {}", position),
                  fmt::format("positions are 1 to {}", outline.rules() + 1));
  }
  const auto at = outline.insert_at(position);
  if (!at) return std::unexpected(at.error());
  return insert_line(tree.main.text, *at, trim(rule_text));
}

Edited change_remarks(const SourceTree& tree, const Location& where, const Remarks& remarks) {
  if (auto fault = check_place(tree, where)) return std::unexpected(*std::move(fault));
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  const ast::Rule* rule = find_rule(*document, tree.main, where.line);
  if (rule == nullptr) return no_rule(where);
  LineEdit edit(tree.main.text, rule->where.end());
  if (remarks.log) edit.put(rule->log_where, *remarks.log == Log::None ? "log none" : "log");
  if (remarks.comment) {
    edit.put(rule->comment_where,
             remarks.comment->empty() ? "" : "comment " + quote(*remarks.comment));
  }
  return edit.text();
}

Edited remove_rule(const SourceTree& tree, const Location& where) {
  if (auto fault = check_place(tree, where)) return std::unexpected(*std::move(fault));
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  const ast::Rule* rule = find_rule(*document, tree.main, where.line);
  if (rule == nullptr) return no_rule(where);
  std::string text = tree.main.text;
  const std::size_t begin = line_begin(text, rule->where.begin());
  return text.erase(begin, line_end(text, begin) - begin);
}

}  // namespace rules
