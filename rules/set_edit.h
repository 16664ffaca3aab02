// Edits of a set's members in a policy's main text. Every byte that the edit isn't about stays. The texts are
// valid policies; the result has still to be parsed and resolved.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "rules/include.h"
#include "rules/services.h"

namespace rules {

using EditedText = std::expected<std::string, Diagnostic>;

// Text unchanged if the member is there already. An error if it isn't a member of this kind of set.
EditedText add_member(const SourceTree& tree, std::string_view set, std::string_view member,
                      const Services& services);

// Text unchanged if the set has neither the member nor a wider one that holds it, which is an
// error.
EditedText remove_member(const SourceTree& tree, std::string_view set, std::string_view member,
                         const Services& services);

}  // namespace rules
