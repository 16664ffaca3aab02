// Text in HTML and SVG. What comes from the log goes through text(): comments, names and messages are foreign.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ctl::report {

// Escaped for an element's content and for a quoted attribute; without control characters.
std::string text(std::string_view foreign);

// The same, kept from turning the direction of what stands around it.
std::string isolated(std::string_view foreign);

std::string number(std::uint64_t value);                       // "12,034"
std::string short_number(double value);                        // "1.2 k", "340", "0.25"
std::string percent(std::uint64_t part, std::uint64_t whole);  // "2.2 %"

}  // namespace ctl::report
