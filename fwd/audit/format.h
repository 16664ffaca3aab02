// The formats of the audit log: Elastic Common Schema (fwd/audit/ecs.h), Suricata's EVE
// (fwd/audit/eve.h).
#pragma once

#include <cstdint>

namespace fwd::audit {

enum class Format : std::uint8_t { Ecs, Eve };

}  // namespace fwd::audit
