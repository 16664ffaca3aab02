// Canonical text: the one way to write a policy that every equal policy is printed in. What is
// printed parses back to the same policy.
#pragma once

#include <span>
#include <string>

#include "rules/ast.h"
#include "rules/policy.h"

namespace rules {

// A rule's list of ports with the names of its sets, which the resolved rule no longer has.
struct PortTexts {
  std::string source;       // empty: any
  std::string destination;  // likewise
};

// "allow in proto tcp from any to any port 22": explicit direction and protocol, numeric ports, set
// names; no log, no comment. Two rules that decide alike on the same packets and come from equal
// sets have the same text.
std::string canonical_text(const Rule& rule);
// For a rule that is being resolved.
std::string canonical_text(const Rule& rule, const PortTexts& ports);

std::string ports_text(std::span<const PortRange> ports);  // "80,8000:8010"

// "log sample 100"; empty for the default.
std::string log_clause(const Log& log);

// " log comment \"web\"": what a rule says beside its canonical text.
void append_remarks(std::string& out, const Rule& rule);

// Defaults, and built-in rules that are off.
std::string print_switches(const Policy& policy);

// Sets by name, defaults, built-in rules that are off, rules in order with log and comment.
std::string print(const Policy& policy);

// Statement by statement in the order of the document, includes in place. Names stay as they are
// written.
std::string print(const ast::Document& document);

// One statement as print() writes it, without a line end.
std::string print(const ast::Rule& rule);

}  // namespace rules
