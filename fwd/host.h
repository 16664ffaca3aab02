// What the policy language is told of this host, and how its findings are shown on it.
#pragma once

#include <string>
#include <vector>

#include "fwd/system_error.h"
#include "rules/diagnostic.h"

namespace fwd {

// The text of /etc/services; empty where the host has none.
Result<std::string> read_services();

// On stderr, as a person reads them.
void print_diagnostics(const std::vector<rules::Diagnostic>& diagnostics);

}  // namespace fwd
