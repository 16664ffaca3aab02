// Single words to values: addresses, ports, interfaces, protocols. What is wrong with a word comes
// back as a message and a hint; the caller knows where the word stands.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "rules/address.h"
#include "rules/policy.h"

namespace rules {

struct Fault {
  std::string message;
  std::string hint;
};

// An address, a prefix (also with a netmask: 10.0.0.0/255.0.0.0), or first-last.
std::expected<AddressRange, Fault> read_range(std::string_view word);
std::expected<Address, Fault> read_address(std::string_view word);

// Digits, maybe a range: "80", "8000:8010", "8000-8010". Says nothing about the value.
bool looks_like_port(std::string_view word);
std::expected<PortRange, Fault> read_port_range(std::string_view word);

// Nothing if it may be an interface's name (and a single one).
std::optional<Fault> check_interface(std::string_view word);
bool is_set_name(std::string_view word);

// Sorted; those that overlap or touch become one.
std::vector<PortRange> merge(std::vector<PortRange> ranges);

}  // namespace rules
