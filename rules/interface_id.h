// Interfaces as the classifier knows them.
#pragma once

#include <cstdint>

namespace rules {

// Which interface a packet came in by or goes out by, as the rule set counts the names its rules mention.
enum class InterfaceId : std::uint32_t {};
inline constexpr InterfaceId kOtherInterface{0};  // one that no rule names

}  // namespace rules
