#include "fwd/engine/service_slots.h"

namespace fwd::engine {

ServicePlaces ServiceSlots::places(const rules::ServiceMap& services) {
  ServicePlaces places;
  places.reserve(services.names().size());
  for (const std::string& name : services.names()) places.push_back(place(name));
  return places;
}

std::uint8_t ServiceSlots::place(const std::string& name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second;
  if (names_.size() == kServices) return rules::ServiceMap::kOther;
  const auto place = static_cast<std::uint8_t>(names_.size());
  names_.push_back(name);
  by_name_.emplace(name, place);
  return place;
}

}  // namespace fwd::engine
