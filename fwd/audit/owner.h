// Whose socket a connection of this host begins or ends at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fwd::audit {

struct Owner {
  std::optional<std::uint32_t> uid;  // absent: unknown
  std::string_view unit;             // systemd's, such as "nginx.service"; empty: unknown
};

}  // namespace fwd::audit
