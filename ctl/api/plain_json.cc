#include "ctl/api/plain_json.h"

#include <algorithm>
#include <cstddef>

#include "rules/byte_block.h"
#include "rules/text.h"

namespace ctl::api {
namespace {

// What stands behind the backslash, and for which character.
constexpr std::string_view kLetters = "\"\\bfnrt";
constexpr std::string_view kCharacters = "\"\\\b\f\n\r\t";

std::size_t find_special(std::string_view text, std::size_t from) {
  return rules::byte_block::find(
      text, from, [](auto byte) { return (byte < 0x20) | (byte == '"') | (byte == '\\'); });
}

// The closing quote's place; npos where there is none.
std::size_t find_end(std::string_view text) {
  for (std::size_t at = find_special(text, 0); at < text.size();) {
    if (text[at] == '"') return at;
    if (text[at] != '\\') break;
    at = find_special(text, std::min(at + 2, text.size()));
  }
  return std::string_view::npos;
}

}  // namespace

bool append_plain(std::string& out, std::string_view text) {
  if (!rules::is_utf8(text)) return false;
  out += '"';
  for (std::size_t from = 0; true;) {
    const std::size_t at = find_special(text, from);
    out.append(text, from, at - from);
    if (at == text.size()) break;
    const std::size_t which = kCharacters.find(text[at]);
    if (which == std::string_view::npos) return false;
    out += '\\';
    out += kLetters[which];
    from = at + 1;
  }
  out += '"';
  return true;
}

bool PlainReader::accept(std::string_view bytes) {
  if (!left_.starts_with(bytes)) return false;
  left_.remove_prefix(bytes.size());
  return true;
}

bool PlainReader::string(std::string& value) {
  if (!accept("\"")) return false;
  const std::size_t end = find_end(left_);
  if (end == std::string_view::npos) return false;
  const std::string_view text = left_.substr(0, end);
  if (!rules::is_utf8(text)) return false;
  value.clear();
  value.reserve(text.size());
  for (std::size_t from = 0; true;) {
    const std::size_t at = std::min(text.find('\\', from), text.size());
    value.append(text, from, at - from);
    if (at == text.size()) break;
    const std::size_t which = kLetters.find(text[at + 1]);
    if (which == std::string_view::npos) return false;
    value += kCharacters[which];
    from = at + 2;
  }
  left_.remove_prefix(end + 1);
  return true;
}

}  // namespace ctl::api
