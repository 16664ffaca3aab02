// Edits of a policy's main text. Every byte that the edit isn't about stays: comments, order, line
// ends, a last line without an end. The texts are valid policies; the result has still to be parsed
// and resolved, since an edit that is well formed may be a duplicate or break an `expect`.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "rules/include.h"
#include "rules/policy.h"
#include "rules/services.h"

namespace rules {

using Edited = std::expected<std::string, Diagnostic>;

// Behind the last rule or include of the main file, or at its end if it has none.
Edited append_rule(const SourceTree& tree, std::string_view rule_text);

// So that it becomes rule number `position` (from 1; one more than there are rules: append).
// Refused where that place is inside an included file.
Edited insert_rule(const SourceTree& tree, std::size_t position, std::string_view rule_text);

// What a rule says beside what it matches. Absent: it stays as it is.
struct Remarks {
  std::optional<Log> log;              // not Log::Default, which no clause says
  std::optional<std::string> comment;  // empty: the comment goes
};

// In the rule's own line; a clause that wasn't there comes at the end. `where` is Rule::where.
// Refused in an included file.
Edited change_remarks(const SourceTree& tree, const Location& where, const Remarks& remarks);

// The whole line, with a comment that stands on it. `where` is Rule::where. Refused in an included
// file.
Edited remove_rule(const SourceTree& tree, const Location& where);

// Text unchanged if the member is there already. An error if it isn't a member of this kind of set.
Edited add_member(const SourceTree& tree, std::string_view set, std::string_view member,
                  const Services& services);

// Text unchanged if the set has neither the member nor a wider one that holds it, which is an
// error.
Edited remove_member(const SourceTree& tree, std::string_view set, std::string_view member,
                     const Services& services);

}  // namespace rules
