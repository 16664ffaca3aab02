// A TCP port of this host alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fwd/system_error.h"
#include "fwd/unique_fd.h"
#include "rules/address.h"

namespace fwd::metrics {

struct Endpoint {
  rules::Address address;  // of the loopback interface
  std::uint16_t port = 0;
};

// "127.0.0.1:9472", "[::1]:9472"; nothing for any other address than a loopback one.
std::optional<Endpoint> parse_endpoint(std::string_view text);
std::string to_string(const Endpoint& endpoint);

// Also while the loopback interface is down or has no such address yet, as early in a boot.
Result<UniqueFd> listen_on(const Endpoint& endpoint);

}  // namespace fwd::metrics
