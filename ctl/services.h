// What the ports of this host's services are called.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace ctl {

class ServiceNames {
 public:
  // "https" for 443 and tcp as /etc/services has it, else "8443/tcp".
  const std::string& of(std::string_view protocol, std::uint16_t port);

 private:
  std::map<std::pair<std::string, std::uint16_t>, std::string, std::less<>> known_;
};

}  // namespace ctl
