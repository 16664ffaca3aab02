#include "rules/set_text.h"

#include <utility>

#include <fmt/core.h>

#include "rules/byte_block.h"
#include "rules/lexer.h"

namespace rules {
namespace {

constexpr std::size_t kRoom = 4096;  // bytes that a text may grow by without being moved

std::size_t begin_of_line(std::string_view text, std::size_t number) {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < number; ++line) begin = text.find('\n', begin) + 1;
  return begin;
}

std::size_t next_line(std::string_view text, std::size_t from) {
  const std::size_t newline = text.find('\n', from);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

std::uint32_t lines_in(std::string_view text) {
  return static_cast<std::uint32_t>(byte_block::count(text, '\n'));
}

}  // namespace

SetText::SetText(const Source& source, std::size_t line) {
  source_.name = source.name;
  source_.text.reserve(source.text.size() + kRoom);
  source_.text = source.text;
  Lexer lexer(source_, begin_of_line(source_.text, line), static_cast<std::uint32_t>(line));
  const auto word = [](const Token& token) {
    return Word{token.where.offset, token.where.length, token.where.line};
  };
  Token token = lexer.next();
  while (token.kind != TokenKind::OpenBrace) token = lexer.next();
  open_ = word(token);
  members_.reserve(usual_members(token.where));
  for (token = lexer.next(); token.kind != TokenKind::CloseBrace; token = lexer.next()) {
    if (token.kind != TokenKind::Word) continue;
    do members_.push_back(word(token));
    while (lexer.next_listed(token));
  }
  close_ = word(token);
}

std::string_view SetText::member(std::size_t index) const {
  return std::string_view(source_.text).substr(members_[index].offset, members_[index].length);
}

Location SetText::where(std::size_t index) const {
  const Word& word = members_[index];
  const auto column = static_cast<std::uint32_t>(word.offset - line_begin(word) + 1);
  return locate({&source_, word.offset, word.line, column, word.length});
}

void SetText::append(std::string_view member) {
  if (members_.empty()) {
    fill(member);
  } else if (own_line(members_.back())) {
    append_line(member);
  } else {
    append_inline(member);
  }
}

void SetText::remove(std::size_t index) {
  const Word word = members_[index];
  const auto on_its_line = [&](std::size_t other) {
    return other < members_.size() && members_[other].line == word.line;
  };
  const bool before = index > 0 && on_its_line(index - 1);
  const bool after = on_its_line(index + 1);
  const std::size_t end_before = before ? members_[index - 1].end() : 0;
  const std::size_t begin_after = after ? members_[index + 1].offset : 0;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
  if (before) return replace(end_before, word.end() - end_before, {});
  if (after) return replace(word.offset, begin_after - word.offset, {});
  if (own_line(word)) {
    const std::size_t begin = line_begin(word);
    return replace(begin, next_line(source_.text, begin) - begin, {});
  }
  if (open_.line == close_.line) return replace(open_.end(), close_.offset - open_.end(), " ");
  replace(word.offset, end_with_comma(word) - word.offset, {});
}

std::size_t SetText::line_begin(const Word& word) const {
  return word.offset == 0 ? 0 : source_.text.rfind('\n', word.offset - 1) + 1;
}

// The end of a member with the comma behind it, if there is one on its line.
std::size_t SetText::end_with_comma(const Word& word) const {
  const std::size_t next = source_.text.find_first_not_of(kBlanks, word.end());
  return next != std::string::npos && source_.text[next] == ',' ? next + 1 : word.end();
}

bool SetText::has_comma(const Word& word) const {
  return end_with_comma(word) != word.end();
}

bool SetText::own_line(const Word& word) const {
  return word.line != open_.line && word.line != close_.line;
}

// {} and { } become { MEMBER }; what else stands in the braces stays behind it.
void SetText::fill(std::string_view member) {
  const std::size_t begin = open_.end();
  const std::size_t length = close_.offset - begin;
  const std::string_view inside = std::string_view(source_.text).substr(begin, length);
  if (inside.find_first_not_of(kBlanks) == std::string_view::npos) {
    replace(begin, length, fmt::format(" {} ", member));
  } else {
    replace(begin, 0, fmt::format(" {}", member));
  }
  note(begin + 1, member, open_.line);
}

// On a line of its own below the last member, indented like it, with a comma where the others have one.
void SetText::append_line(std::string_view member) {
  const bool trailing = has_comma(members_.back());
  const bool commas = trailing || (members_.size() > 1 && has_comma(members_.front()));
  if (commas && !trailing) replace(members_.back().end(), 0, ",");
  const std::string& text = source_.text;
  const Word& last = members_.back();
  const std::size_t begin = line_begin(last);
  const std::size_t below = next_line(text, last.end());
  const std::string indent = text.substr(begin, text.find_first_not_of(kBlanks, begin) - begin);
  const std::string_view end = text[below - 2] == '\r' ? "\r\n" : "\n";
  const std::uint32_t line = last.line + 1;
  replace(below, 0, fmt::format("{}{}{}{}", indent, member, trailing ? "," : "", end));
  note(below + indent.size(), member, line);
}

// Behind the last member on its line, with what stands between the first two.
void SetText::append_inline(std::string_view member) {
  const Word last = members_.back();
  std::string separator = ", ";
  if (members_.size() > 1 && members_[0].line == members_[1].line) {
    const std::size_t begin = members_[0].end();
    separator = source_.text.substr(begin, members_[1].offset - begin);
  }
  if (has_comma(last)) {
    const std::size_t at = end_with_comma(last);
    replace(at, 0, fmt::format(" {},", member));
    note(at + 1, member, last.line);
  } else {
    replace(last.end(), 0, fmt::format("{}{}", separator, member));
    note(last.end() + separator.size(), member, last.line);
  }
}

// What stands behind it moves.
void SetText::replace(std::size_t at, std::size_t length, std::string_view by) {
  const std::uint32_t lines =
      lines_in(by) - lines_in(std::string_view(source_.text).substr(at, length));
  const auto bytes = static_cast<std::uint32_t>(by.size() - length);
  const auto move = [&](Word& word) {
    if (word.offset < at + length) return false;
    word.offset += bytes;
    word.line += lines;
    return true;
  };
  source_.text.replace(at, length, by);
  move(close_);
  for (auto word = members_.rbegin(); word != members_.rend() && move(*word);) ++word;
}

void SetText::note(std::size_t offset, std::string_view member, std::uint32_t line) {
  members_.push_back(
      {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(member.size()), line});
}

}  // namespace rules
