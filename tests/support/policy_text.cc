#include "tests/support/policy_text.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/address.h"
#include "rules/printer.h"
#include "tests/fuzz/policy_property.h"
#include "tests/support/random.h"

namespace tests {
namespace {

using rules::Address;
using rules::AddressRange;

constexpr std::uint32_t kLastBytes[] = {0, 1, 2, 3, 127, 128, 254, 255};
constexpr unsigned kLengths4[] = {7, 16, 23, 24, 25, 30, 31, 32, 32, 32, 32, 32};
constexpr std::uint64_t kInterfaceIds[] = {0, 1, 2, 0xffff, 1ULL << 63U, ~0ULL - 1, ~0ULL};
constexpr unsigned kLengths6[] = {29, 48, 63, 64, 65, 96, 126, 127, 128, 128, 128, 128};
constexpr std::uint32_t kPorts[] = {0,    1,    22,    80,    443,   1023,
                                    1024, 3306, 32767, 32768, 65534, 65535};
constexpr const char* kWithPorts[] = {"tcp", "tcp",     "tcp",  "udp",
                                      "udp", "tcp,udp", "sctp", "udplite"};
constexpr const char* kWithoutPorts[] = {"esp",
                                         "gre",
                                         "ah",
                                         "igmp",
                                         "vrrp",
                                         "47,50",
                                         "253",
                                         "icmp",
                                         "icmpv6",
                                         "1",
                                         "icmp type echo-request",
                                         "icmp type 8/0",
                                         "icmp type 13",
                                         "icmpv6 type 128",
                                         "icmpv6 type 131",
                                         "icmpv6 type 135",
                                         "icmpv6 type 139/1"};
constexpr const char* kActions[] = {"allow", "allow", "allow", "deny", "deny", "reject"};
constexpr const char* kInterfaces[] = {"eth0", "eth0", "eth1", "tun9"};
// From some dozens on, the kernel's copy looks rules up in tables.
constexpr std::size_t kSizes[] = {15, 40, 80, 150};

class PolicyText : private Random {
 public:
  explicit PolicyText(std::uint64_t seed) : Random{seed} {}

  std::string text() {
    for (int i = 0; i < 4; ++i) sets_ += fmt::format("set s{} = {{ {} }}\n", i, members());
    text_ = sets_;
    text_ += fmt::format("default {} in\n", one_in(2) ? "deny" : one_in(2) ? "reject" : "allow");
    for (const char* name : {"ping", "icmp-errors", "mld", "neighbour-discovery", "dhcp"}) {
      if (one_in(4)) text_ += fmt::format("builtin {} off\n", name);
    }
    for (std::size_t left = pick(kSizes); left > 0;) left -= add(rule()) ? 1 : 0;
    return text_;
  }

 private:
  // False for what the language refuses: a rule twice, or one with addresses of both families.
  bool add(const std::string& rule) {
    const auto policy = policy_from(sets_ + rule);
    if (!policy || !seen_.insert(canonical_text(policy->rules.front())).second) return false;
    text_ += rule + '\n';
    return true;
  }

  AddressRange range4() {
    const auto first = static_cast<std::uint32_t>(0x0a000000 | below(2) << 16U | below(2) << 8U |
                                                  pick(kLastBytes));
    if (one_in(3))
      return {Address::v4(first), Address::v4(first + static_cast<std::uint32_t>(below(40)))};
    return rules::prefix_range(Address::v4(first), pick(kLengths4));
  }

  AddressRange range6() {
    const std::uint64_t high = 0x20010db800000000ULL | below(2) << 16U | below(2);
    const std::uint64_t low = pick(kInterfaceIds);
    if (one_in(3))
      return {Address::v6(high, low), Address::v6(high, low + std::min(~low, below(40)))};
    return rules::prefix_range(Address::v6(high, low), pick(kLengths6));
  }

  std::string range() { return to_string(one_in(2) ? range4() : range6()); }

  std::string members() {
    std::vector<std::string> texts;
    for (std::uint64_t left = 1 + below(6); left > 0; --left) texts.push_back(range());
    return fmt::format("{}", fmt::join(texts, ", "));
  }

  std::string address() {
    if (one_in(4)) return "any";
    return one_in(6) ? fmt::format("@s{}", below(4)) : range();
  }

  std::string ports() {
    const std::uint32_t first = pick(kPorts);
    if (one_in(2)) return fmt::format("{}", first);
    const auto last =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(65535, first + below(3000)));
    if (one_in(2) || last > 65000) return fmt::format("{}:{}", first, last);
    return fmt::format("{}:{},{}:65001", first, last, last + 2);
  }

  std::string rule() {
    std::string text = fmt::format("{} {}", pick(kActions), one_in(12) ? "out" : "in");
    if (one_in(4)) text += fmt::format(" on {}", pick(kInterfaces));
    const bool with_ports = !one_in(3);
    if (!one_in(12))
      text += fmt::format(" proto {}", with_ports ? pick(kWithPorts) : pick(kWithoutPorts));
    text += " from " + address();
    if (with_ports && one_in(3)) text += " port " + ports();
    text += " to " + address();
    if (with_ports && !one_in(3)) text += " port " + ports();
    return text;
  }

  std::string sets_;
  std::string text_;
  std::set<std::string> seen_;
};

}  // namespace

std::string random_policy_text(std::uint64_t seed) {
  return PolicyText{seed}.text();
}

}  // namespace tests
