#pragma once

#include "rules/ast.h"
#include "rules/names.h"

namespace rules {

// All sets of a document, wherever they stand in it. A set with a fault is there, but empty or
// short of members, so that rules which name it aren't reported as well.
Sets resolve_sets(const ast::Document& document, const Services& services, Report& report);

// What is wrong with a word that should be a member of a set of ports, or of addresses.
Fault bad_member(std::string_view word, bool ports, const Services& services);

}  // namespace rules
