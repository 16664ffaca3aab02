#include "rules/service_map.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace rules {
namespace {

struct Named {
  std::uint32_t first = 0;  // protocol << 16 | port
  std::uint32_t last = 0;   // inclusive
  std::uint32_t service = 0;

  std::uint32_t width() const { return last - first; }
};

std::uint32_t key(std::uint8_t protocol, std::uint16_t port) {
  return std::uint32_t{protocol} << 16 | port;
}

// A name that is no word would be a surprise wherever the metrics go.
bool is_word(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '+';
  });
}

std::string name_of(std::uint8_t protocol, PortRange ports, const Services& services) {
  const std::string number = std::to_string(ports.first);
  if (ports.first != ports.last) return number + ":" + std::to_string(ports.last);
  const std::string* name = services.name_of(ports.first, protocol);
  return name != nullptr && is_word(*name) ? *name : number;
}

// In the order of the rules, each pair of protocol and range once.
class Collector {
 public:
  Collector(const Services& services, std::size_t most, std::vector<std::string>& names)
      : services_(services), most_(most), names_(names) {}

  void add(const Match& match) {
    if (match.direction != Direction::In) return;
    for (const ProtocolMatch& one : match.protocols) add(one.number, match);
  }

  std::vector<Named> take() { return std::move(ranges_); }

 private:
  void add(std::uint8_t protocol, const Match& match) {
    for (const PortRange ports : match.destination_ports) {
      if (!seen_.emplace(protocol, ports).second) continue;
      if (const auto service = service_called(name_of(protocol, ports, services_)))
        ranges_.push_back({key(protocol, ports.first), key(protocol, ports.last), *service});
    }
  }

  std::optional<std::uint32_t> service_called(std::string name) {
    const auto known = by_name_.find(name);
    if (known != by_name_.end()) return known->second;
    if (names_.size() == most_) return std::nullopt;
    const auto service = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name);
    by_name_.emplace(std::move(name), service);
    return service;
  }

  const Services& services_;
  const std::size_t most_;
  std::vector<std::string>& names_;
  std::map<std::string, std::uint32_t> by_name_;
  std::set<std::pair<std::uint8_t, PortRange>> seen_;
  std::vector<Named> ranges_;
};

}  // namespace

std::size_t ServiceMap::find(std::uint8_t protocol, std::uint16_t port) const noexcept {
  const auto after = std::ranges::upper_bound(segments_, key(protocol, port), {}, &Segment::from);
  return std::prev(after)->service;
}

// May be wrong about ranges, but never says so of what isn't there.
bool ServiceMap::has(const Match& match, const Services& services) const {
  if (match.direction != Direction::In) return true;
  return std::ranges::all_of(match.destination_ports, [&](PortRange ports) {
    return ports.first == ports.last &&
           std::ranges::all_of(match.protocols, [&](const ProtocolMatch& protocol) {
             return names_[find(protocol.number, ports.first)] ==
                    name_of(protocol.number, ports, services);
           });
  });
}

ServiceMap add_services(const ServiceMap& before, const RuleList& rules, std::size_t added,
                        const Services& services, std::size_t most) {
  const bool full = before.names_.size() >= most;
  if (full || before.has(rules[added].match, services)) return before;
  return make_service_map(rules, services, most);
}

ServiceMap make_service_map(const RuleList& rules, const Services& services, std::size_t most) {
  ServiceMap map;
  Collector collector(services, most, map.names_);
  for (const Rule& rule : rules) collector.add(rule.match);
  auto ranges = collector.take();
  std::ranges::stable_sort(ranges, {}, &Named::width);

  std::set<std::uint32_t> borders;
  for (const Named& range : ranges) borders.insert({range.first, range.last + 1});
  for (const std::uint32_t from : borders) {
    const auto narrowest = std::ranges::find_if(
        ranges, [&](const Named& range) { return range.first <= from && from <= range.last; });
    const std::uint32_t service =
        narrowest == ranges.end() ? std::uint32_t{ServiceMap::kOther} : narrowest->service;
    if (service != map.segments_.back().service) map.segments_.push_back({from, service});
  }
  return map;
}

}  // namespace rules
