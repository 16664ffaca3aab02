// A policy that lets nobody in, which is mostly a slip and the end of somebody's ssh session.
#pragma once

#include <optional>

#include "rules/policy.h"

namespace rules {

// A warning where nothing that comes in is allowed, be it within a limit.
std::optional<Diagnostic> check_lockout(const Policy& policy);

}  // namespace rules
