#include "rules/words.h"

#include <algorithm>
#include <bit>
#include <optional>

#include <fmt/core.h>

#include "rules/numbers.h"

namespace rules {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Fault> fault(std::string message, std::string hint = {}) {
  return std::unexpected(Fault{std::move(message), std::move(hint)});
}

bool looks_like_host_name(std::string_view word) {
  return std::any_of(word.begin(), word.end(), is_letter) &&
         std::all_of(word.begin(), word.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
}

std::unexpected<Fault> not_an_address(std::string_view word) {
  if (looks_like_host_name(word)) {
    return fault(fmt::format("\"{}\" isn't an address", word),
                 "host names aren't looked up: a rule must not change with a name server's answer");
  }
  return fault(fmt::format("\"{}\" isn't an address", word));
}

// 24 for 255.255.255.0
std::optional<unsigned> netmask_bits(std::string_view text) {
  const auto mask = parse_address(text);
  if (!mask || mask->family != Family::V4) return std::nullopt;
  const auto bits = static_cast<std::uint32_t>(mask->low);
  const int ones = std::countl_one(bits);
  if (std::popcount(bits) != ones) return std::nullopt;
  return static_cast<unsigned>(ones);
}

std::expected<AddressRange, Fault> read_prefix(std::string_view word, std::size_t slash) {
  const auto address = parse_address(word.substr(0, slash));
  if (!address) return not_an_address(word.substr(0, slash));
  const bool v4 = address->family == Family::V4;
  const unsigned most = v4 ? 32 : 128;
  const std::string_view length = word.substr(slash + 1);
  auto bits = read_number<unsigned>(length, 100'000);
  if (!bits && v4) bits = netmask_bits(length);
  if (!bits) return fault(fmt::format("\"{}\" isn't a prefix length", length));
  if (*bits > most) {
    return fault(fmt::format("prefix length {} is more than {}", *bits, most));
  }
  const AddressRange range = prefix_range(*address, *bits);
  if (range.first != *address) {
    return fault(fmt::format("\"{}\" has bits set below its prefix", word),
                 fmt::format("did you mean {}?", to_string(range)));
  }
  return range;
}

std::expected<AddressRange, Fault> read_first_last(std::string_view word, std::size_t dash) {
  const auto first = parse_address(word.substr(0, dash));
  const auto last = parse_address(word.substr(dash + 1));
  if (!first || !last) return not_an_address(word);
  if (first->family != last->family) {
    return fault(fmt::format("\"{}\" starts in one IP version and ends in the other", word));
  }
  if (*last < *first) {
    return fault(fmt::format("\"{}\" ends before it starts", word),
                 fmt::format("did you mean {}-{}?", to_string(*last), to_string(*first)));
  }
  return AddressRange{*first, *last};
}

}  // namespace

std::expected<AddressRange, Fault> read_range(std::string_view word) {
  if (const auto address = parse_address(word)) return AddressRange{*address, *address};
  if (const std::size_t slash = word.find('/'); slash != std::string_view::npos) {
    return read_prefix(word, slash);
  }
  if (const std::size_t dash = word.find('-'); dash != std::string_view::npos) {
    return read_first_last(word, dash);
  }
  return not_an_address(word);
}

std::expected<Address, Fault> read_address(std::string_view word) {
  const auto address = parse_address(word);
  if (!address) return not_an_address(word);
  return *address;
}

bool looks_like_port(std::string_view word) {
  return !word.empty() && is_digit(word.front()) &&
         std::all_of(word.begin(), word.end(),
                     [](char c) { return is_digit(c) || c == ':' || c == '-'; }) &&
         std::count_if(word.begin(), word.end(), [](char c) { return !is_digit(c); }) <= 1;
}

std::expected<PortRange, Fault> read_port_range(std::string_view word) {
  const std::size_t middle = word.find_first_of(":-");
  const std::string_view first_text = word.substr(0, middle);
  const std::string_view last_text =
      middle == std::string_view::npos ? first_text : word.substr(middle + 1);
  const auto first = read_number<std::uint16_t>(first_text, 65535);
  const auto last = read_number<std::uint16_t>(last_text, 65535);
  if (!first || !last) {
    return fault(fmt::format("\"{}\" isn't a port", word),
                 looks_like_port(word) ? "ports are 0 to 65535" : "");
  }
  if (*last < *first) {
    return fault(fmt::format("\"{}\" ends before it starts", word),
                 fmt::format("did you mean {}:{}?", *last, *first));
  }
  return PortRange{*first, *last};
}

std::optional<Fault> check_interface(std::string_view word) {
  constexpr std::size_t kMost = 15;  // IFNAMSIZ - 1
  if (word.size() > kMost) {
    return Fault{fmt::format("interface \"{}\" has more than {} characters", word, kMost), {}};
  }
  if (word.find_first_of("+*") != std::string_view::npos) {
    return Fault{fmt::format("interface \"{}\" has a wildcard", word),
                 "write one rule for each interface"};
  }
  if (word.find(':') != std::string_view::npos) {
    return Fault{fmt::format("\"{}\" is an alias, not an interface", word),
                 fmt::format("write \"on {}\" and the address", word.substr(0, word.find(':')))};
  }
  const bool plain = std::all_of(word.begin(), word.end(), [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("_-.@%").find(c) != std::string_view::npos;
  });
  if (!plain || word == "." || word == "..") {
    return Fault{fmt::format("\"{}\" isn't an interface's name", word), {}};
  }
  return std::nullopt;
}

bool is_set_name(std::string_view word) {
  constexpr std::size_t kMost = 63;
  return !word.empty() && word.size() <= kMost && (is_letter(word[0]) || word[0] == '_') &&
         std::all_of(word.begin(), word.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
}

std::vector<PortRange> merge(std::vector<PortRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<PortRange> merged;
  for (const PortRange& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace rules
