// What records say of the rule that decided, ready to be copied: made once for each policy and rule, when
// the first record needs it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/policy.h"
#include "rules/rule_set.h"

namespace fwd::audit {

// Texts are escaped for JSON.
struct RuleName {
  std::string id;                  // the rule's id, or "default"
  std::string name;                // its comment; of one that has none, "rule" and its id
  std::string object;              // {"id":...,"name":...,"ruleset":...,"version":...}
  std::uint32_t signature_id = 0;  // see below
};

// A rule as Suricata's EVE wants it: a number for each id, the same on every host and whatever else
// is in the policy. From 2^30 to 2^31 - 1, where no published rule is.
std::uint32_t signature_id(std::string_view rule_id);

// Used by one thread at a time.
class PolicyNames {
 public:
  PolicyNames(const rules::Policy& policy, std::uint64_t version);

  std::uint64_t version() const { return version_; }
  // Null for a rule that the policy doesn't have.
  const RuleName* find(const rules::Decision& decision, rules::Direction direction) const;

 private:
  const RuleName* rule(std::size_t index) const;

  std::uint64_t version_;
  std::array<RuleName, 2> defaults_;  // by direction
  std::vector<RuleName> builtins_;
  std::vector<std::string> files_;  // the main one, then the includes
  rules::RuleList rules_;
  mutable std::unordered_map<std::size_t, RuleName>
      rule_names_;  // by index, of those needed so far
};

// The names of the policies that records in flight may speak of.
class PolicyBook {
 public:
  // A commit that failed leaves its version to the next one, which takes its place here.
  void add(PolicyNames names);
  const PolicyNames* find(std::uint64_t version) const;

  // To be called when every record that waited at the last call, and was pushed before, is written.
  // Forgets what was superseded before that.
  void forget_superseded();

 private:
  // A worker that was too slow to be held during a commit may still judge by the policy before.
  static constexpr std::size_t kKept = 4;
  // However many commits a writer has missed that the disk holds up.
  static constexpr std::size_t kMost = 32;

  std::deque<PolicyNames> policies_;  // oldest first
  std::size_t superseded_ = 0;        // of policies_, as of the last call
};

}  // namespace fwd::audit
