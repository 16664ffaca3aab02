// Edits of a set's members in a policy's main text. Every byte that the edit isn't about stays.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/policy.h"
#include "rules/services.h"

namespace rules {

struct SetEdit {
  std::string text;  // of the main file
  std::shared_ptr<const AddressSet>
      addresses;  // that the set has now; null where it has, or had, ports
};
// Nothing where nothing is to be done.
using EditedSet = std::expected<std::optional<SetEdit>, Diagnostic>;

// Those that aren't listed already. An error if one isn't a member of this kind of set.
EditedSet add_members(const Policy& policy, std::string_view set,
                      std::span<const std::string> members, const Services& services);

// Wherever they are listed. Where a wider member holds one, that is an error.
EditedSet remove_members(const Policy& policy, std::string_view set,
                         std::span<const std::string> members, const Services& services);

}  // namespace rules
