// Service names as /etc/services has them, handed in as text: nothing here asks the host.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rules {

struct Service {
  std::uint16_t port = 0;
  std::vector<std::uint8_t> protocols;  // sorted; only those that have ports
};

class Services {
 public:
  // Null if the name isn't known. Aliases are names of their own.
  const Service* find(std::string_view name) const;

  // What a port is called first, as far as that is said of this protocol, or else of another one; null
  // where it has no name.
  const std::string* name_of(std::uint16_t port, std::uint8_t protocol) const;

  // `did you mean "https"?`, or nothing.
  std::string hint(std::string_view name) const;

  // Where a name has several ports, the first one counts, as with getservbyname(3).
  void add(std::string_view name, std::uint16_t port, std::uint8_t protocol);

  std::size_t size() const { return by_name_.size(); }

 private:
  std::map<std::string, Service, std::less<>> by_name_;
  std::map<std::pair<std::uint16_t, std::uint8_t>, std::string> by_port_;  // and protocol
};

// Lines that aren't understood are passed over: the file belongs to somebody else.
Services parse_services(std::string_view text_of_etc_services);

}  // namespace rules
