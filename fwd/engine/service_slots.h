// Where connections to a service are counted. A service keeps its place for as long as the daemon runs, whatever
// becomes of the policy, so its count never falls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/service_map.h"

namespace fwd::engine {

// With "other", which has the first place. The page of metrics has a line for each.
inline constexpr std::size_t kServices = 256;

// Index into ServiceMap::names() -> place.
using ServicePlaces = std::vector<std::uint8_t>;

// Not thread-safe.
class ServiceSlots {
 public:
  // Services that there is no place left for are "other".
  ServicePlaces places(const rules::ServiceMap& services);

  const std::vector<std::string>& names() const { return names_; }  // by place

 private:
  std::uint8_t place(const std::string& name);

  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint8_t> by_name_;
};

}  // namespace fwd::engine
