#include "rules/cursor.h"

#include <fmt/core.h>

namespace rules {

Cursor::Cursor(const Source& source, Report& report)
    : lexer_(source), report_(report), current_(lexer_.next()), last_(current_.where) {}

void Cursor::skip() {
  last_ = current_.where;
  if (!at(TokenKind::EndOfText)) current_ = lexer_.next();
}

Token Cursor::take() {
  const Token taken = current_;
  skip();
  return taken;
}

Token Cursor::take_raw() {
  last_ = current_.where;
  current_ = lexer_.next_raw();
  return at_end() ? current_ : take();
}

bool Cursor::at_word(std::string_view keyword) const {
  return at(TokenKind::Word) && current_.text == keyword;
}

bool Cursor::accept(std::string_view keyword) {
  if (!at_word(keyword)) return false;
  skip();
  return true;
}

std::optional<ast::Word> Cursor::want_word(std::string_view what) {
  if (!at(TokenKind::Word)) {
    unexpected(what);
    return std::nullopt;
  }
  const ast::Word word{current_.text, current_.where};
  skip();
  return word;
}

std::optional<std::string> Cursor::want_string(std::string_view what) {
  if (!at(TokenKind::String)) {
    unexpected(what);
    return std::nullopt;
  }
  return unescape(take().text);
}

bool Cursor::want(TokenKind kind, std::string_view what) {
  if (!at(kind)) return unexpected(what);
  skip();
  return true;
}

bool Cursor::want_end() {
  return at_end() || unexpected("the end of the statement");
}

void Cursor::skip_line() {
  while (!at_end()) skip();
}

bool Cursor::unexpected(std::string_view what) {
  if (at(TokenKind::Unterminated)) {
    return report_.error(current_.where, "the closing quote is missing on this line");
  }
  return report_.error(current_.where,
                       fmt::format("expected {}, found {}", what, describe(current_)));
}

}  // namespace rules
