#include "rules/diagnostic.h"

#include <algorithm>

#include <fmt/core.h>

namespace rules {
namespace {

constexpr std::size_t kBefore =
    60;  // bytes shown before and after the marked column of a long line
constexpr std::size_t kAfter = 100;

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// Columns on a terminal: characters, not bytes.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

// Blanks as wide as `text`; its tabs stay, so that the caret stands below its token.
std::string blanks(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (!continues_character(c)) result += c == '\t' ? '\t' : ' ';
  }
  return result;
}

// The line, cut to what surrounds the mark, and the caret line below it.
std::string excerpt(const Location& where) {
  const std::string_view line = where.source_line;
  const std::size_t mark = std::min(where.column > 0 ? where.column - 1 : 0, line.size());
  std::size_t begin = mark > kBefore ? mark - kBefore : 0;
  std::size_t end = std::min(line.size(), mark + kAfter);
  while (begin > 0 && continues_character(line[begin])) --begin;
  while (end < line.size() && continues_character(line[end])) ++end;
  const std::string before = (begin > 0 ? "..." : "") + printable(line.substr(begin, mark - begin));
  const std::size_t length = std::min(where.length, end - mark);
  const std::string marked = printable(line.substr(mark, length));
  const std::string after =
      printable(line.substr(mark + length, end - mark - length)) + (end < line.size() ? "..." : "");
  const std::size_t columns = std::max<std::size_t>(width(marked), 1);
  return fmt::format("{}{}{}\n{}^{:~<{}}\n", before, marked, after, blanks(before), "",
                     columns - 1);
}

std::string position(const Location& where) {
  if (where.file.empty()) return "";
  if (where.line == 0) return printable(where.file) + ": ";
  return fmt::format("{}:{}:{}: ", printable(where.file), where.line, where.column);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters too; terminals obey some of them.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                    static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string render(const Diagnostic& diagnostic) {
  const char* severity = diagnostic.severity == Severity::Error ? "error" : "warning";
  std::string text = fmt::format("{}{}: {}\n", position(diagnostic.where), severity,
                                 printable(diagnostic.message));
  if (diagnostic.where.line > 0) text += excerpt(diagnostic.where);
  for (const Location& other : diagnostic.other) {
    text += fmt::format("{}note: see also\n", position(other));
    if (other.line > 0) text += excerpt(other);
  }
  if (!diagnostic.hint.empty()) text += fmt::format("hint: {}\n", printable(diagnostic.hint));
  return text;
}

}  // namespace rules
