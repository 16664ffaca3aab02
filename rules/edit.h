// Edits of a policy's rules and sets, in its text and in its meaning at once: the rest is neither read again nor
// resolved again, so that an edit costs as much as it changes. Every byte that it isn't about stays: comments,
// order, line ends, a last line without an end. What comes out is what the new text would be resolved to; it
// may still be no policy, since a rule may be there twice or make an `expect` false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/policy.h"
#include "rules/resolver.h"
#include "rules/services.h"
#include "rules/set_edit.h"

namespace rules {

// What is edited: a policy, with its sources, and what those say beside.
struct EditBase {
  const Policy& policy;
  const Outline& outline;
  const Services& services;
  // Each edit that succeeds calls it once, with the edited texts, before what they mean is worked out: they can be written
  // meanwhile.
  std::function<void(std::shared_ptr<const SourceTree>)> on_text = [](const auto&) {};
};

struct PolicyEdit {
  enum class Kind : std::uint8_t { Added, Removed, Remarked, SetChanged } kind;
  Policy policy;  // with the edited sources
  Outline outline;
  std::size_t index = 0;                   // of the rule: in the policy that has it
  std::vector<std::size_t> with_set = {};  // the rules that name the set
};
using Edited = std::expected<PolicyEdit, Diagnostic>;

// Whether the edit can deny what the policy before lets go on. A `limit` denies only what is new.
bool may_deny_more(const PolicyEdit& edit, const Policy& before);

// Behind the last rule or include of the main file, or at its end if it has none.
Edited append_rule(const EditBase& base, std::string_view rule_text);

// So that it becomes rule number `position` (from 1; one more than there are rules: append).
// Refused where that place is inside an included file.
Edited insert_rule(const EditBase& base, std::size_t position, std::string_view rule_text);

// What a rule says beside what it matches. Absent: it stays as it is.
struct Remarks {
  std::optional<Log> log;              // not Log::Default, which no clause says
  std::optional<std::string> comment;  // empty: the comment goes
};

// In the rule's own line; a clause that wasn't there comes at the end. Refused in an included file.
Edited change_remarks(const EditBase& base, std::size_t index, const Remarks& remarks);

// The whole line, with a comment that stands on it. Refused in an included file.
Edited remove_rule(const EditBase& base, std::size_t index);

// Of a set of addresses.
PolicyEdit change_set(const EditBase& base, const std::string& name, SetEdit set);

}  // namespace rules
