// An edit that was refused is in no file: what its diagnostics say of lines is put in terms of the
// file as it is.
#pragma once

#include <string_view>
#include <vector>

#include "rules/diagnostic.h"

namespace rules {

// `diagnostics` are about `before` with the text `after`. A line that only the edit has is called
// "command line".
void place_before_edit(std::vector<Diagnostic>& diagnostics, const Source& before,
                       std::string_view after);

}  // namespace rules
