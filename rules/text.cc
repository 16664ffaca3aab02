#include "rules/text.h"

#include <algorithm>

#include <fmt/core.h>

#include "rules/byte_block.h"
#include "rules/report.h"

namespace rules {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t length = 0;  // 0: not UTF-8
};

// The shortest form only, no surrogates, nothing above U+10FFFF.
Character decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t length = 0;
  char32_t least = 0;
  if ((first & 0xe0) == 0xc0) length = 2, least = 0x80;
  if ((first & 0xf0) == 0xe0) length = 3, least = 0x800;
  if ((first & 0xf8) == 0xf0) length = 4, least = 0x10000;
  if (length == 0 || text.size() < length) return {};
  char32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least || surrogate || code > 0x10ffff) return {};
  return {code, length};
}

bool invisible(char32_t code) {
  return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0) ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

// Most texts are nothing else.
bool is_ascii(std::string_view text) {
  return byte_block::find(text, 0, [](auto byte) { return byte > 0x7f; }) == text.size();
}

// Nothing that can't be seen, in ASCII, but for blanks between words and the ends of lines.
bool is_plain(std::string_view text) {
  return byte_block::find(text, 0, [](auto byte) {
           return ((byte < ' ') & (byte != '\n') & (byte != '\t')) | (byte > '~');
         }) == text.size();
}

// No line is longer than allowed: seen without a look at each.
bool has_short_lines(std::string_view text) {
  while (text.size() > kMaxLine) {
    const std::size_t newline = text.rfind('\n', kMaxLine);
    if (newline == std::string_view::npos) return false;
    text.remove_prefix(newline + 1);
  }
  return true;
}

// The fault of one line, if it has one; `line` is without its line end.
std::optional<Diagnostic> check_line(const Source& source, std::string_view line,
                                     std::size_t offset, std::size_t number) {
  const auto fault = [&](std::size_t at, std::string message, std::string hint = {}) {
    const Span span{&source, static_cast<std::uint32_t>(offset + at),
                    static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(at + 1), 1};
    return Diagnostic{Severity::Error, locate(span), std::move(message), std::move(hint), {}};
  };
  if (line.size() > kMaxLine) {
    return fault(kMaxLine, fmt::format("the line has more than {} bytes", kMaxLine));
  }
  if (is_plain(line)) return std::nullopt;
  for (std::size_t at = 0; at < line.size();) {
    const Character character = decode_utf8(line.substr(at));
    if (character.length == 0) {
      return fault(at,
                   fmt::format("byte 0x{:02x} isn't UTF-8", static_cast<unsigned char>(line[at])),
                   "save the file in UTF-8");
    }
    if (offset + at == 0 && character.code == 0xfeff) {
      return fault(at, "the file starts with a byte order mark", "save it without one");
    }
    if (invisible(character.code)) {
      return fault(at, fmt::format("character U+{:04X} can't be seen and isn't allowed",
                                   static_cast<std::uint32_t>(character.code)));
    }
    at += character.length;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Diagnostic> check_text(const Source& source) {
  const std::string_view text = source.text;
  if (text.size() > kMaxText) {
    return Diagnostic{Severity::Error,
                      {source.name, 0, 0, 1, {}},
                      fmt::format("the text has more than {} MB", kMaxText >> 20),
                      {},
                      {}};
  }
  if (is_plain(text) && has_short_lines(text)) return std::nullopt;
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t newline = text.find('\n', begin);
    std::size_t end = std::min(newline, text.size());
    const std::size_t next = end + 1;
    if (newline != std::string_view::npos && end > begin && text[end - 1] == '\r') --end;
    if (auto fault = check_line(source, text.substr(begin, end - begin), begin, number))
      return fault;
    begin = next;
  }
  return std::nullopt;
}

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  while (!text.empty()) {
    const Character character = decode_utf8(text);
    if (character.length == 0) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

Lines lines_of(std::string_view text) {
  Lines lines;
  for_each_line(text, [&](std::string_view line) { lines.push_back(line); });
  return lines;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace rules
