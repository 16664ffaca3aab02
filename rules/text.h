// What every text must keep to before anything looks at its words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "rules/diagnostic.h"

namespace rules {

inline constexpr std::size_t kMaxText = std::size_t{16}
                                        << 20;  // bytes, all files of a policy together
inline constexpr std::size_t kMaxLine = std::size_t{64} << 10;  // bytes

// Nothing, or the first fault: a text or line too long, a byte order mark, bytes that aren't UTF-8
// (RFC 3629), and characters that can't be seen (control characters, marks that turn the direction
// of writing). Line ends are LF or CR LF.
std::optional<Diagnostic> check_text(const Source& source);

bool is_utf8(std::string_view text);  // RFC 3629

// Without their line feeds; a last line needs none.
template <typename Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}
using Lines = std::vector<std::string_view>;
Lines lines_of(std::string_view text);

// Without blanks and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace rules
