// Other tables that decide about the host's packets too: what fwd accepts, they may still drop.
#pragma once

#include <string>
#include <vector>

#include "fwd/system_error.h"

namespace fwd::kernel {

struct ForeignFilter {
  std::string family;  // inet, ip, ip6
  std::string table;
  bool input = false;
  bool output = false;

  bool operator==(const ForeignFilter&) const = default;
};

// The tables but ours with a filter chain at the hooks input or output that has rules, or drops by
// its policy. One short dump, however many rules there are.
Result<std::vector<ForeignFilter>> foreign_filters();

}  // namespace fwd::kernel
