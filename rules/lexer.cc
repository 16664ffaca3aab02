#include "rules/lexer.h"

#include <algorithm>

#include <fmt/core.h>

#include "rules/byte_block.h"

namespace rules {
namespace {

static_assert(kBlanks.size() == 2);
bool is_blank(char c) {
  return c == kBlanks[0] || c == kBlanks[1];
}

// Of a byte, or of each in a block.
constexpr auto kEndsWord = [](auto byte) {
  return (byte == ' ') | (byte == ',') | (byte == '\n') | (byte == '}') | (byte == '=') |
         (byte == '{') | (byte == '\t') | (byte == '\r');
};

bool starts_word(char c) {
  return !kEndsWord(c) && c != '"' && c != '\'' && c != '#' && c != '\0';
}

std::size_t end_of_word(std::string_view text, std::size_t position) {
  return byte_block::find_near(text, position, kEndsWord);
}

bool escapable(char c) {
  return c == '"' || c == '\'' || c == '\\';
}

}  // namespace

char Lexer::at(std::size_t position) const {
  return position < source_->text.size() ? source_->text[position] : '\0';
}

// Comments count as blanks.
void Lexer::skip_blanks() {
  const std::string& text = source_->text;
  while (is_blank(at(position_))) ++position_;
  if (at(position_) == '#') position_ = std::min(text.find('\n', position_), text.size());
}

Token Lexer::make(TokenKind kind, std::size_t length) {
  const Token token{kind, std::string_view(source_->text).substr(position_, length),
                    Span{source_, static_cast<std::uint32_t>(position_), line_,
                         static_cast<std::uint32_t>(position_ - line_begin_ + 1),
                         static_cast<std::uint32_t>(length)}};
  position_ += length;
  return token;
}

Token Lexer::end_token() {
  if (position_ >= source_->text.size()) return make(TokenKind::EndOfText, 0);
  const Token token = make(TokenKind::EndOfLine, at(position_) == '\r' ? 2 : 1);
  line_begin_ = position_;
  ++line_;
  return token;
}

Token Lexer::string_token(char quote) {
  std::size_t end = position_ + 1;
  while (end < source_->text.size() && at(end) != quote && at(end) != '\n') {
    end += at(end) == '\\' && escapable(at(end + 1)) ? 2 : 1;
  }
  if (at(end) != quote) {
    if (at(end - 1) == '\r') --end;
    return make(TokenKind::Unterminated, end - position_);
  }
  Token token = make(TokenKind::String, end + 1 - position_);
  token.text = token.text.substr(1, token.text.size() - 2);
  return token;
}

Token Lexer::next() {
  skip_blanks();
  switch (at(position_)) {
    case '\0':
    case '\r':
    case '\n':
      return end_token();
    case ',':
      return make(TokenKind::Comma, 1);
    case '=':
      return make(TokenKind::Equals, 1);
    case '{':
      return make(TokenKind::OpenBrace, 1);
    case '}':
      return make(TokenKind::CloseBrace, 1);
    case '"':
    case '\'':
      return string_token(at(position_));
  }
  return make(TokenKind::Word, end_of_word(source_->text, position_) - position_);
}

bool Lexer::next_listed(Token& word) {
  if (at(position_) != ',' || !starts_word(at(position_ + 1))) return false;
  ++position_;
  word = make(TokenKind::Word, end_of_word(source_->text, position_) - position_);
  return true;
}

Token Lexer::next_raw() {
  skip_blanks();
  const char first = at(position_);
  if (first == '\0' || first == '\r' || first == '\n') return end_token();
  if (first == '"' || first == '\'') return string_token(first);
  const std::size_t end =
      std::min(source_->text.find_first_of(" \t\r\n", position_), source_->text.size());
  return make(TokenKind::Word, end - position_);
}

std::size_t usual_members(const Span& open) {
  const std::string_view text = open.source->text;
  return (std::min(text.find('}', open.end()), text.size()) - open.end()) / 8;
}

std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && escapable(text[i + 1])) ++i;
    result += text[i];
  }
  return result;
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string quote_argument(std::string_view argument) {
  const bool plain = !argument.empty() && argument.find_first_of(" \t") == std::string_view::npos &&
                     argument[0] != '"' && argument[0] != '\'' && argument[0] != '#';
  return plain ? std::string(argument) : quote(argument);
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::EndOfLine:
      return "the end of the line";
    case TokenKind::EndOfText:
      return "the end of the text";
    case TokenKind::String:
      return fmt::format("the string \"{}\"", token.text);
    case TokenKind::Unterminated:
      return "a string without its closing quote";
    case TokenKind::Word:
    case TokenKind::Comma:
    case TokenKind::Equals:
    case TokenKind::OpenBrace:
    case TokenKind::CloseBrace:
      return fmt::format("\"{}\"", token.text);
  }
  __builtin_unreachable();
}

}  // namespace rules
