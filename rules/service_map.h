// The services that a policy is about: the destination ports that its rules for incoming packets name.
// make_service_map() is the way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rules/policy.h"
#include "rules/services.h"

namespace rules {

class ServiceMap {
 public:
  // What a port is of that no rule names.
  static constexpr std::size_t kOther = 0;

  // Index into names(). Of a port in several ranges the narrowest counts. Takes a logarithm of the number of
  // ranges, and allocates nothing.
  std::size_t find(std::uint8_t protocol, std::uint16_t port) const noexcept;

  // "other" first, each once. A port goes by its name in /etc/services ("https"), or by its number where it has
  // none there; several ports by the range, as it is written in a policy ("8000:8010").
  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  friend ServiceMap make_service_map(const RuleList& rules, const Services& services,
                                     std::size_t most);
  friend ServiceMap add_services(const ServiceMap& before, const RuleList& rules, std::size_t added,
                                 const Services& services, std::size_t most);

  bool has(const Match& match, const Services& services) const;

  // From this port of this protocol on, until the next segment.
  struct Segment {
    std::uint32_t from = 0;  // protocol << 16 | port
    std::uint32_t service = kOther;
  };

  std::vector<std::string> names_{"other"};
  std::vector<Segment> segments_{{}};  // ascending, the first from 0 on
};

// At most `most` names: the first ones in the order of the rules. Ports of the others are "other".
ServiceMap make_service_map(const RuleList& rules, const Services& services, std::size_t most);

// The same after the rule at `added` was added to those of `before`. Looks at the others only where this one names
// a port that none has named.
ServiceMap add_services(const ServiceMap& before, const RuleList& rules, std::size_t added,
                        const Services& services, std::size_t most);

}  // namespace rules
