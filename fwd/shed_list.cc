#include "fwd/shed_list.h"

namespace fwd {

std::vector<rules::Address> ShedList::add(const std::vector<rules::Address>& heavy, Time now) {
  std::erase_if(until_, [now](const auto& shed) { return shed.second <= now; });
  std::vector<rules::Address> added;
  for (const rules::Address& source : heavy) {
    if (until_.emplace(source, now + kTime).second) added.push_back(source);
  }
  return added;
}

}  // namespace fwd
