// The API's bodies to JSON text and back: encode() and decode(). The types are plain structs in the
// headers beside this one; how each is written is one table in its .cc file (see fields.h).
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace ctl::api {

// One line. Bytes that are no UTF-8 become U+FFFD: who must not lose any checks for them first.
template <class Body>
std::string encode(const Body& body);

// The error is one line that names the field: "main.text: must be a string". Fields that aren't
// known are ignored in answers, so that the programs may differ in version, and refused in
// requests.
template <class Body>
std::expected<Body, std::string> decode(std::string_view text);

}  // namespace ctl::api
