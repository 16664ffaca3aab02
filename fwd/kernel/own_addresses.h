// The addresses of this host: who opened a connection can be told from them.
#pragma once

#include <set>

#include "fwd/system_error.h"
#include "rules/address.h"

namespace fwd::kernel {

// Of all interfaces in this network namespace.
Result<std::set<rules::Address>> own_addresses();

}  // namespace fwd::kernel
