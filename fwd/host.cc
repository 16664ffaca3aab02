#include "fwd/host.h"

#include <cstdio>

#include <fmt/format.h>

#include "fwd/files.h"

namespace fwd {

Result<std::string> read_services() {
  auto text = read_file("/etc/services");
  if (!text && text.error().code == ENOENT) return std::string();
  return text;
}

void print_diagnostics(const std::vector<rules::Diagnostic>& diagnostics) {
  for (const rules::Diagnostic& diagnostic : diagnostics)
    fmt::print(stderr, "{}", rules::render(diagnostic));
}

}  // namespace fwd
