// One token of lookahead over a source, and the errors that every parse function needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/ast.h"
#include "rules/lexer.h"
#include "rules/report.h"

namespace rules {

class Cursor {
 public:
  Cursor(const Source& source, Report& report);

  const Token& peek() const { return current_; }
  Token take();
  void skip();       // the same, for who knows what it is
  Token take_raw();  // what follows the word at hand, up to a blank; the word itself goes away

  bool at(TokenKind kind) const { return current_.kind == kind; }
  bool at_word(std::string_view keyword) const;
  bool at_end() const { return at(TokenKind::EndOfLine) || at(TokenKind::EndOfText); }
  const Span& last() const { return last_; }  // the token taken last

  // From one word of a list to the next, if nothing but a comma is between them; which last() doesn't tell.
  bool skip_to_listed() { return lexer_.next_listed(current_); }

  // Takes the keyword if it is next.
  bool accept(std::string_view keyword);

  // Takes a word, a string or punctuation, or reports that `what` was expected.
  std::optional<ast::Word> want_word(std::string_view what);
  std::optional<std::string> want_string(std::string_view what);
  bool want(TokenKind kind, std::string_view what);
  bool want_end();

  void skip_line();  // up to, not beyond, its end

  // An error at the token at hand. Always false.
  bool unexpected(std::string_view what);
  Report& report() { return report_; }

 private:
  Lexer lexer_;
  Report& report_;
  Token current_;
  Span last_;
};

}  // namespace rules
