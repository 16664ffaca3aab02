// The rules that are always in force unless the policy switches them off by name.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "rules/policy.h"

namespace rules {

struct BuiltinName {
  std::string_view name;
  bool Builtins::*member;
};

inline constexpr std::array<BuiltinName, 7> kBuiltinNames{{
    {"loopback", &Builtins::loopback},
    {"established", &Builtins::established},
    {"neighbour-discovery", &Builtins::neighbour_discovery},
    {"mld", &Builtins::mld},
    {"icmp-errors", &Builtins::icmp_errors},
    {"ping", &Builtins::ping},
    {"dhcp", &Builtins::dhcp},
}};

// Those of them that look at nothing but a packet's headers, in order; the id of each is its name.
// `established` is a matter of conntrack and has none.
std::vector<Rule> builtin_rules(const Builtins& builtins);

}  // namespace rules
