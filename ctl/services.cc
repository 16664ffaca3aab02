#include "ctl/services.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>

namespace ctl {

const std::string& ServiceNames::of(std::string_view protocol, std::uint16_t port) {
  std::pair<std::string, std::uint16_t> key(protocol, port);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const servent* const entry = ::getservbyport(htons(port), key.first.c_str());
  std::string name = entry != nullptr ? entry->s_name : fmt::format("{}/{}", port, protocol);
  return known_.emplace(std::move(key), std::move(name)).first->second;
}

}  // namespace ctl
