#include "tests/support/shared_data.h"

#include <cstdlib>
#include <iostream>

namespace tests {

std::optional<std::filesystem::path> shared_data(const std::string& part) {
  const char* const folder = std::getenv("FWD_SHARED_DATA");
  const auto path = std::filesystem::path{folder != nullptr ? folder : "../shared/data"} / part;
  std::error_code ignored;  // not there and not readable are the same here
  if (std::filesystem::exists(path, ignored)) return path;
  std::cerr << "skipped: " << part << " isn't in the shared test data (FWD_SHARED_DATA)\n";
  return std::nullopt;
}

}  // namespace tests
