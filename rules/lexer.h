// Text to words. The lexer knows no keywords; the only state it has is where it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/report.h"

namespace rules {

// Between words.
inline constexpr std::string_view kBlanks = " \t";

enum class TokenKind : std::uint8_t {
  Word,
  String,  // in double or single quotes
  Comma,
  Equals,
  OpenBrace,
  CloseBrace,
  EndOfLine,
  EndOfText,
  Unterminated,  // a string whose closing quote isn't on its line
};

struct Token {
  TokenKind kind = TokenKind::EndOfText;
  std::string_view text;  // of a string: what is between the quotes, as written
  Span where;             // of a string: with the quotes
};

// Expects a text that passed check_text(). Quotes and `#` mean something only at the start of a
// word, as in a shell.
class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(&source) {}
  // From the beginning of that line on.
  Lexer(const Source& source, std::size_t line_begin, std::uint32_t line)
      : source_(&source), position_(line_begin), line_begin_(line_begin), line_(line) {}

  Token next();

  // Behind a word: the next one, if nothing but a comma is between them. Most of a long list is nothing else.
  bool next_listed(Token& word);

  // A string, or everything up to the next blank: the unquoted words after `comment`.
  Token next_raw();

 private:
  char at(std::size_t position) const;
  void skip_blanks();
  Token end_token();
  Token string_token(char quote);
  Token make(TokenKind kind, std::size_t length);

  const Source* source_;
  std::size_t position_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
};

// About as many members as a set has that begins with that brace: most addresses are longer than seven characters.
std::size_t usual_members(const Span& open);

// A string as it is meant: a backslash before a quote or a backslash goes away.
std::string unescape(std::string_view text);

// The text in double quotes, so that unescape() gives it back.
std::string quote(std::string_view text);

// One command line argument so that the lexer reads it as one word or one string.
std::string quote_argument(std::string_view argument);

// For messages: `"word"`, `end of line`.
std::string describe(const Token& token);

}  // namespace rules
