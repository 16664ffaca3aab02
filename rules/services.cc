#include "rules/services.h"

#include <algorithm>

#include "rules/numbers.h"
#include "rules/policy.h"
#include "rules/protocols.h"
#include "rules/suggest.h"

namespace rules {
namespace {

std::string_view take_field(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
  const std::string_view field = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return field;
}

// "http  80/tcp  www  # WorldWideWeb HTTP"
void parse_line(std::string_view line, Services& services) {
  line = line.substr(0, line.find('#'));
  const std::string_view name = take_field(line);
  const std::string_view target = take_field(line);
  const std::size_t slash = target.find('/');
  if (slash == std::string_view::npos) return;
  const auto port = read_number<std::uint16_t>(target.substr(0, slash), 65535);
  const auto number = protocol_by_name(target.substr(slash + 1));
  if (!port || !number || !has_ports(*number)) return;
  services.add(name, *port, *number);
  for (auto alias = take_field(line); !alias.empty(); alias = take_field(line)) {
    services.add(alias, *port, *number);
  }
}

}  // namespace

const Service* Services::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const std::string* Services::name_of(std::uint16_t port, std::uint8_t protocol) const {
  const auto own = by_port_.find({port, protocol});
  if (own != by_port_.end()) return &own->second;
  const auto any = by_port_.lower_bound({port, 0});
  return any != by_port_.end() && any->first.first == port ? &any->second : nullptr;
}

std::string Services::hint(std::string_view name) const {
  Nearest nearest(name);
  for (const auto& [known, service] : by_name_) nearest.consider(known);
  return nearest.hint();
}

void Services::add(std::string_view name, std::uint16_t port, std::uint8_t protocol) {
  const auto [entry, added] = by_name_.try_emplace(std::string(name), Service{port, {}});
  by_port_.try_emplace({port, protocol}, name);
  Service& service = entry->second;
  if (service.port != port) return;
  const auto at = std::lower_bound(service.protocols.begin(), service.protocols.end(), protocol);
  if (at == service.protocols.end() || *at != protocol) service.protocols.insert(at, protocol);
}

Services parse_services(std::string_view text) {
  Services services;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    parse_line(text.substr(0, end), services);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return services;
}

}  // namespace rules
