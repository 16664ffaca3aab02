// What the words of a statement stand for. Every function reports what is wrong at the word's place
// and then gives nothing back.
#pragma once

#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/ast.h"
#include "rules/icmp.h"
#include "rules/policy.h"
#include "rules/report.h"
#include "rules/services.h"
#include "rules/words.h"

namespace rules {

using Sets = std::map<std::string, NamedSet>;

// The addresses that rules name themselves, by what is written: rules share what several of them name. In memory of its
// own: a hundred thousand small pieces between those that stay would leave as many holes.
class Literals {
 public:
  using Members = std::shared_ptr<const AddressSet>;

  // Null for what isn't known yet.
  Members find(std::string_view text) const {
    const auto known = known_.find(text);
    return known == known_.end() ? nullptr : known->second;
  }
  void add(std::string_view text, const Members& members) { known_.emplace(text, members); }

 private:
  std::pmr::monotonic_buffer_resource memory_;
  std::pmr::unordered_map<std::string_view, Members> known_{&memory_};
};

struct Names {
  const Sets& sets;
  const Services& services;
  Report& report;
  Literals& literals;
};

// A list of ports. `protocols` are those that the words ask for where the statement names none.
struct ResolvedPorts {
  std::vector<PortRange> ranges;
  std::string text;  // numbers, then the sets' names; empty: any
  bool names_set = false;
  std::vector<std::uint8_t> protocols;
};

std::optional<AddressMatch> find_address(const ast::Word& word, const Names& names);
std::optional<ResolvedPorts> find_ports(const std::vector<ast::Word>& words, const Names& names);
std::optional<std::string> find_interface(const ast::Word& word, const Names& names);

// By name or number. `icmp` is ICMP and ICMPv6.
std::optional<std::vector<std::uint8_t>> find_protocol(const ast::Word& word, const Names& names);

// By name, or by number: then it is a type of the one protocol that `statement_protocol` names, and
// for `icmp` that is ICMP.
std::optional<IcmpName> find_icmp_type(const ast::Word& word, const ast::Word& statement_protocol,
                                       const Names& names);

// "10.0.0.0/8 is IPv4"
std::string family_text(std::string_view word, bool v4);

bool report_fault(const ast::Word& word, const Fault& fault, Report& report);

}  // namespace rules
