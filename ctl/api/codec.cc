#include "ctl/api/codec.h"

#include <cstddef>
#include <cstdint>

namespace ctl::api {
namespace {

struct Lead {
  std::size_t length;  // of the whole sequence; 0: not a first byte
  unsigned char
      second_min;  // the second byte's range shuts out overlong forms, surrogates and > U+10FFFF
  unsigned char second_max;
};

// RFC 3629, section 4.
Lead lead(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xc2) return {0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf};
  if (byte < 0xf0) {
    return {3, static_cast<unsigned char>(byte == 0xe0 ? 0xa0 : 0x80),
            static_cast<unsigned char>(byte == 0xed ? 0x9f : 0xbf)};
  }
  if (byte < 0xf5) {
    return {4, static_cast<unsigned char>(byte == 0xf0 ? 0x90 : 0x80),
            static_cast<unsigned char>(byte == 0xf4 ? 0x8f : 0xbf)};
  }
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Lead first = lead(static_cast<unsigned char>(text[at]));
    if (first.length == 0 || first.length > text.size() - at) return false;
    for (std::size_t i = 1; i < first.length; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      if (byte < (i == 1 ? first.second_min : 0x80) || byte > (i == 1 ? first.second_max : 0xbf))
        return false;
    }
    at += first.length;
  }
  return true;
}

}  // namespace ctl::api
