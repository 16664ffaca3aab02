// JSON text, appended to a buffer that the caller keeps: no allocation once the buffer has grown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fwd::audit::json {

// With its quotes. Whatever is in `text`, the result is one valid JSON string on one line that
// can't drive a terminal: control characters (C0, DEL, C1), line separators and bidirectional
// overrides are escaped, what isn't UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);

// Likewise, without quotes, for text that goes into a longer string.
void append_escaped(std::string& out, std::string_view text);

void append_number(std::string& out, std::uint64_t number);

// At most `limit` bytes of UTF-8 text, never ending within a character.
std::string_view shortened(std::string_view text, std::size_t limit);

}  // namespace fwd::audit::json
