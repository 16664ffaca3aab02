// Captures and rule sets that aren't part of the project: in $FWD_SHARED_DATA, or else in
// ../shared/data.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace tests {

// Nothing where it isn't there; then a line "skipped: ..." says so on stderr, so that nobody takes
// silence for a pass.
std::optional<std::filesystem::path> shared_data(const std::string& part);

}  // namespace tests
