// The entry points are append_string() and append_number().
#include "fwd/audit/json.h"

#include <array>
#include <charconv>

namespace fwd::audit::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::array<char, 16> kHex = {'0', '1', '2', '3', '4', '5', '6', '7',
                                       '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

struct Character {
  char32_t code = 0;
  std::size_t length = 0;  // in bytes; 0 where there is no valid one
};

constexpr bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

// How long a character is by its first byte, which must not be ASCII; 0 where none begins so
// (Unicode, table 3-7).
constexpr std::size_t announced_length(unsigned char lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// No overlong form, no surrogate, nothing above U+10FFFF.
constexpr bool valid(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> kFirst = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kFirst[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

// The character that `text` begins with; its first byte isn't ASCII.
Character decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = announced_length(lead);
  if (length == 0 || text.size() < length) return {};
  char32_t code = lead & (0x7fU >> length);
  for (std::size_t at = 1; at < length; ++at) {
    if (!continues(text[at])) return {};
    code = code << 6U | (static_cast<unsigned char>(text[at]) & 0x3fU);
  }
  return valid(code, length) ? Character{code, length} : Character{};
}

// Line separators, and what turns the direction of the text around it.
constexpr bool misleading(char32_t code) {
  return (code >= 0x80 && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f || code == 0xfeff;
}

void append_code(std::string& out, char32_t code) {
  out.append("\\u");
  for (unsigned shift = 16; shift != 0; shift -= 4) out.push_back(kHex[code >> (shift - 4) & 0xfU]);
}

void append_ascii(std::string& out, char byte) {
  switch (byte) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      if (byte < 0x20 || byte == 0x7f) {
        append_code(out, static_cast<unsigned char>(byte));
      } else {
        out.push_back(byte);
      }
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t length = 1;
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      append_ascii(out, text.front());
    } else if (const Character character = decode(text); character.length == 0) {
      out.append(kReplacement);
    } else {
      length = character.length;
      if (misleading(character.code)) {
        append_code(out, character.code);
      } else {
        out.append(text.substr(0, length));
      }
    }
    text.remove_prefix(length);
  }
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  append_escaped(out, text);
  out.push_back('"');
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;  // of 2^64 - 1
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

std::string_view shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit != 0 && continues(text[limit])) --limit;
  return text.substr(0, limit);
}

}  // namespace fwd::audit::json
