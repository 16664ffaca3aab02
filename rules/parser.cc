#include "rules/parser.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/core.h>

#include "rules/cursor.h"
#include "rules/expect_parser.h"
#include "rules/rule_parser.h"
#include "rules/suggest.h"
#include "rules/text.h"

namespace rules {
namespace {

class DocumentParser {
 public:
  DocumentParser(const SourceTree& tree, Report& report);

  ast::Document parse();

 private:
  using StatementFunction = bool (DocumentParser::*)(Cursor&);
  struct Form {
    std::string_view keyword;
    StatementFunction parse;
  };
  static const std::array<Form, 10> kForms;
  static StatementFunction find_form(std::string_view keyword);

  void source(const Source& source);
  bool statement(Cursor& cursor);
  bool unknown_statement(const Token& token);
  bool set(Cursor& cursor);
  bool members(Cursor& cursor, ast::Set& set);
  bool listed_members(Cursor& cursor, ast::Set& set);
  bool not_closed(const ast::Set& set);
  void leave_set(Cursor& cursor);
  bool default_action(Cursor& cursor);
  bool builtin(Cursor& cursor);
  bool expect(Cursor& cursor);
  bool include(Cursor& cursor);
  bool include_files(const ast::Include& include);
  bool no_such_file(const ast::Include& include);
  bool rule(Cursor& cursor);
  bool route(Cursor& cursor) { return parse_rule_statement(cursor).has_value(); }

  const SourceTree& tree_;
  Report& report_;
  ast::Document document_;
  std::vector<const Source*> by_name_;      // the includes, sorted
  std::map<const Source*, Span> included_;  // and by which statement
  std::size_t include_statements_ = 0;
  std::size_t rules_ = 0;
  std::size_t members_ = 0;
  bool inside_include_ = false;
};

const std::array<DocumentParser::Form, 10> DocumentParser::kForms{{
    {"set", &DocumentParser::set},
    {"default", &DocumentParser::default_action},
    {"builtin", &DocumentParser::builtin},
    {"include", &DocumentParser::include},
    {"expect", &DocumentParser::expect},
    {"allow", &DocumentParser::rule},
    {"deny", &DocumentParser::rule},
    {"reject", &DocumentParser::rule},
    {"limit", &DocumentParser::rule},
    {"route", &DocumentParser::route},
}};

DocumentParser::StatementFunction DocumentParser::find_form(std::string_view keyword) {
  for (const Form& form : kForms) {
    if (form.keyword == keyword) return form.parse;
  }
  return nullptr;
}

DocumentParser::DocumentParser(const SourceTree& tree, Report& report)
    : tree_(tree), report_(report) {
  for (const Source& source : tree.includes) by_name_.push_back(&source);
  std::sort(by_name_.begin(), by_name_.end(),
            [](const Source* a, const Source* b) { return a->name < b->name; });
}

ast::Document DocumentParser::parse() {
  if (auto fault = check_size(tree_)) {
    report_.error(*std::move(fault));
  } else {
    source(tree_.main);
  }
  return std::move(document_);
}

void DocumentParser::source(const Source& source) {
  if (auto fault = check_text(source)) {
    report_.error(*std::move(fault));
    return;
  }
  Cursor cursor(source, report_);
  while (!cursor.at(TokenKind::EndOfText) && !report_.full()) {
    const bool good = cursor.at(TokenKind::EndOfLine) || (statement(cursor) && cursor.want_end());
    if (!good) cursor.skip_line();
    cursor.take();
  }
}

bool DocumentParser::statement(Cursor& cursor) {
  if (!cursor.at(TokenKind::Word)) return cursor.unexpected("a statement");
  const StatementFunction form = find_form(cursor.peek().text);
  return form != nullptr ? (this->*form)(cursor) : unknown_statement(cursor.peek());
}

bool DocumentParser::unknown_statement(const Token& token) {
  Nearest nearest(token.text);
  for (const Form& form : kForms) nearest.consider(form.keyword);
  return report_.error(token.where, fmt::format("unknown statement \"{}\"", token.text),
                       nearest.hint());
}

bool DocumentParser::rule(Cursor& cursor) {
  auto rule = parse_rule_statement(cursor);
  if (!rule) return false;
  if (++rules_ > kMaxRules) {
    return report_.error(rule->where, fmt::format("a policy has at most {} rules", kMaxRules));
  }
  document_.statements.emplace_back(*std::move(rule));
  return true;
}

// set NAME = { MEMBER, ... }, over as many lines as it takes
bool DocumentParser::set(Cursor& cursor) {
  cursor.take();
  const auto name = cursor.want_word("the set's name");
  if (!name) return false;
  ast::Set set{*name, {}, {}, {}};
  if (!cursor.want(TokenKind::Equals, "\"=\"")) return false;
  set.open = cursor.peek().where;
  if (!cursor.want(TokenKind::OpenBrace, "\"{\"")) return false;
  set.members.reserve(std::min(usual_members(set.open), kMaxMembers));
  if (!members(cursor, set)) {
    leave_set(cursor);
    return false;
  }
  document_.statements.emplace_back(std::move(set));
  return true;
}

bool DocumentParser::members(Cursor& cursor, ast::Set& set) {
  bool separated = true;       // a member may come: after the brace, a comma or a line's end
  bool comma_allowed = false;  // after a member
  bool line_start = false;
  while (!cursor.at(TokenKind::CloseBrace)) {
    if (cursor.at(TokenKind::EndOfText)) return not_closed(set);
    if (cursor.at(TokenKind::EndOfLine)) {
      cursor.skip();
      separated = line_start = true;
      continue;
    }
    if (cursor.at(TokenKind::Comma)) {
      if (!comma_allowed) return cursor.unexpected("a member");
      cursor.skip();
      separated = true;
      comma_allowed = false;
      continue;
    }
    const bool statement =
        line_start && cursor.at(TokenKind::Word) && find_form(cursor.peek().text);
    if (statement) return not_closed(set);
    if (!separated) return cursor.unexpected("\",\" or \"}\"");
    if (!listed_members(cursor, set)) return false;
    separated = line_start = false;
    comma_allowed = true;
  }
  set.close = cursor.take().where;
  return true;
}

bool DocumentParser::listed_members(Cursor& cursor, ast::Set& set) {
  if (!cursor.at(TokenKind::Word)) return cursor.unexpected("a member");
  do {
    if (++members_ > kMaxMembers) {
      cursor.skip();
      return report_.error(cursor.last(),
                           fmt::format("the sets have more than {} members", kMaxMembers));
    }
    set.members.push_back({cursor.peek().text, cursor.peek().where});
  } while (cursor.skip_to_listed());
  cursor.skip();
  return true;
}

bool DocumentParser::not_closed(const ast::Set& set) {
  return report_.error(
      set.open, fmt::format("the set \"{}\" isn't closed: \"}}\" is missing", set.name.text));
}

// Goes on behind the brace, or before the next line that starts like a statement.
void DocumentParser::leave_set(Cursor& cursor) {
  while (!cursor.at(TokenKind::EndOfText) && !cursor.at(TokenKind::CloseBrace)) {
    const bool line_start = cursor.last().line < cursor.peek().where.line;
    if (line_start && cursor.at(TokenKind::Word) && find_form(cursor.peek().text)) break;
    cursor.take();
  }
}

// default ACTION in|out; ufw says incoming and outgoing
bool DocumentParser::default_action(Cursor& cursor) {
  const Span start = cursor.take().where;
  const auto action_word = cursor.want_word("allow, deny or reject");
  if (!action_word) return false;
  const auto action = action_by_name(action_word->text);
  if (!action || *action == Action::Limit) {
    return report_.error(action_word->where,
                         fmt::format("\"{}\" can't be a default", action_word->text),
                         "allow, deny or reject");
  }
  const auto word = cursor.want_word("in or out");
  if (!word) return false;
  const auto direction = word->text == "incoming"   ? Direction::In
                         : word->text == "outgoing" ? Direction::Out
                                                    : direction_by_name(word->text);
  if (!direction) {
    return report_.error(word->where, fmt::format("\"{}\" isn't a direction", word->text),
                         "in or out; fwd doesn't filter what is forwarded");
  }
  document_.statements.emplace_back(ast::Default{*action, *direction, join(start, word->where)});
  return true;
}

// builtin NAME on|off
bool DocumentParser::builtin(Cursor& cursor) {
  cursor.take();
  const auto name = cursor.want_word("the name of a built-in rule");
  if (!name) return false;
  const bool off = cursor.at_word("off");
  if (!off && !cursor.at_word("on")) return cursor.unexpected("on or off");
  cursor.take();
  document_.statements.emplace_back(ast::Builtin{*name, !off});
  return true;
}

bool DocumentParser::expect(Cursor& cursor) {
  auto expect = parse_expect_statement(cursor);
  if (!expect) return false;
  document_.statements.emplace_back(*std::move(expect));
  return true;
}

bool DocumentParser::include(Cursor& cursor) {
  const Span start = cursor.take().where;
  auto pattern = cursor.want_string("a file name in quotes");
  if (!pattern) return false;
  const ast::Include include{*std::move(pattern), join(start, cursor.last())};
  const Span name = cursor.last();
  if (inside_include_) {
    return report_.error(name, "an included file can't include others",
                         fmt::format("include it from {}", tree_.main.name));
  }
  if (const std::string_view fault = check_include_pattern(include.pattern); !fault.empty()) {
    return report_.error(name, std::string(fault));
  }
  if (++include_statements_ > kMaxIncludes) {
    return report_.error(name, fmt::format("a policy has at most {} includes", kMaxIncludes));
  }
  document_.statements.emplace_back(include);
  return include_files(include);
}

bool DocumentParser::include_files(const ast::Include& include) {
  bool found = false;
  for (const Source* file : by_name_) {
    if (!include_matches(include.pattern, file->name)) continue;
    found = true;
    const auto [before, first] = included_.emplace(file, include.where);
    if (!first) {
      return report_.error(include.where, fmt::format("\"{}\" is included twice", file->name), {},
                           {locate(before->second)});
    }
    inside_include_ = true;
    source(*file);
    inside_include_ = false;
  }
  return found || has_wildcards(include.pattern) || no_such_file(include);
}

bool DocumentParser::no_such_file(const ast::Include& include) {
  Nearest nearest(include.pattern);
  for (const Source* file : by_name_) nearest.consider(file->name);
  return report_.error(include.where, fmt::format("there is no file \"{}\"", include.pattern),
                       nearest.hint());
}

}  // namespace

std::optional<Diagnostic> check_size(const SourceTree& tree) {
  std::size_t total = tree.main.text.size();
  for (const Source& source : tree.includes) total += source.text.size();
  if (total <= kMaxText) return std::nullopt;
  return Diagnostic{Severity::Error,
                    {tree.main.name, 0, 0, 1, {}},
                    fmt::format("the policy has more than {} MB in all", kMaxText >> 20),
                    {},
                    {}};
}

std::expected<ast::Document, std::vector<Diagnostic>> parse(
    std::shared_ptr<const SourceTree> sources) {
  Report report;
  ast::Document document = DocumentParser(*sources, report).parse();
  if (report.failed()) return std::unexpected(report.take_errors());
  document.sources = std::move(sources);
  return document;
}

std::expected<ast::Document, std::vector<Diagnostic>> parse(SourceTree tree) {
  return parse(std::make_shared<const SourceTree>(std::move(tree)));
}

std::expected<ParsedRule, Diagnostic> parse_rule(std::string_view text) {
  ParsedRule parsed{std::make_unique<const Source>(Source{"command line", std::string(text)}), {}};
  if (auto fault = check_text(*parsed.source)) return std::unexpected(*std::move(fault));
  Report report;
  Cursor cursor(*parsed.source, report);
  auto rule = parse_rule_statement(cursor);
  const bool one = rule && (cursor.at(TokenKind::EndOfText) || cursor.unexpected("one rule only"));
  if (!one) return std::unexpected(std::move(report.take_errors().front()));
  parsed.rule = *std::move(rule);
  return parsed;
}

}  // namespace rules
