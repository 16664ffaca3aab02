#include "rules/set_resolver.h"

#include <fmt/core.h>

#include "rules/policy_hash.h"

namespace rules {
namespace {

bool add_port(std::string_view word, std::vector<PortRange>& ports) {
  const auto range = read_port_range(word);
  if (range) ports.push_back(*range);
  return range.has_value();
}

bool add_address(std::string_view word, AddressSet::Builder& addresses) {
  if (const auto v4 = parse_v4(word)) {  // most: without room for what else may be wrong
    addresses.add(*v4);
    return true;
  }
  const auto range = read_range(word);
  if (range) addresses.add(*range);
  return range.has_value();
}

void resolve_members(const ast::Set& set, NamedSet& named, const Services& services,
                     Report& report) {
  const bool ports = !set.members.empty() && looks_like_port(set.members.text(0));
  AddressSet::Builder addresses;
  if (!ports) addresses.reserve(set.members.size());
  for (std::size_t i = 0; i < set.members.size() && !report.full(); ++i) {
    const std::string_view member = set.members.text(i);
    const bool good = ports ? add_port(member, named.ports) : add_address(member, addresses);
    if (!good) report_fault(set.members[i], bad_member(member, ports, services), report);
  }
  named.ports = merge(std::move(named.ports));
  if (!ports) named.addresses = std::make_shared<const AddressSet>(std::move(addresses).build());
  named.hash = members_hash(named);
}

}  // namespace

Fault bad_member(std::string_view word, bool ports, const Services& services) {
  if (word.starts_with('@')) return {"a set can't hold another set", "name both sets in rules"};
  if (const Service* service = services.find(word)) {
    return {fmt::format("\"{}\" isn't a number", word),
            fmt::format("a set holds port numbers: {}", service->port)};
  }
  if (ports && read_range(word)) {
    return {fmt::format("\"{}\" is an address in a set of ports", word), {}};
  }
  if (!ports && looks_like_port(word)) {
    return {fmt::format("\"{}\" is a port in a set of addresses", word), {}};
  }
  return ports ? read_port_range(word).error() : read_range(word).error();
}

Sets resolve_sets(const ast::Document& document, const Services& services, Report& report) {
  Sets sets;
  for (const ast::Statement& statement : document.statements) {
    const auto* set = std::get_if<ast::Set>(&statement);
    if (set == nullptr) continue;
    const ast::Word& name = set->name;
    if (!is_set_name(name.text)) {
      report.error(name.where, fmt::format("\"{}\" can't be a set's name", name.text),
                   "letters, digits, \"-\" and \"_\", at most 63");
      continue;
    }
    const auto [entry, added] = sets.try_emplace(std::string(name.text));
    NamedSet& named = entry->second;
    if (!added) {
      report.error(name.where, fmt::format("the set \"{}\" is defined twice", name.text), {},
                   {named.where});
      continue;
    }
    named.name = name.text;
    named.where = locate(name.where);
    resolve_members(*set, named, services, report);
  }
  return sets;
}

}  // namespace rules
