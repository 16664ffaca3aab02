// The compiled rule set: the classifier that the daemon runs on every first packet. Immutable once compiled; any
// number of threads may classify at once. classify() neither allocates nor locks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rules/interface_id.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace rules {

enum class DecidedBy : std::uint8_t { Builtin, Rule, Default };

struct Decision {
  Action action = Action::Deny;
  DecidedBy by = DecidedBy::Default;
  std::uint32_t index = 0;  // into Policy::builtin_rules or Policy::rules; 0 with Default

  bool operator==(const Decision&) const = default;
};

// A packet to be classified.
struct Query {
  const Packet* packet;
  Direction direction;
  InterfaceId interface;
};

class RuleSet {
 public:
  // The first match among built-in rules, then rules, then the default of the direction.
  Decision classify(const Packet& packet, Direction direction,
                    InterfaceId interface) const noexcept;

  // decisions[i] for queries[i], for a fraction of the time that one by one takes. As many of both.
  void classify_batch(std::span<const Query> queries, std::span<Decision> decisions) const noexcept;

  // kOtherInterface for a name that no rule mentions.
  InterfaceId interface_id(std::string_view name) const noexcept;
  // Name of each id; element 0 is empty.
  const std::vector<std::string>& interfaces() const noexcept;

  // compile() of a policy that has one rule more, at `index`, or has no longer the rule that had been there: in
  // microseconds, where this is the last that was made from another one in this way. One thread at a time may ask any
  // of those that were made from one another; all of them go on to classify.
  RuleSet with_rule(const Policy& policy, std::size_t index) const;
  RuleSet without_rule(const Policy& policy, const Rule& rule, std::size_t index) const;
  // The same of a policy that has another rule, of the same direction, in the place of each of these.
  RuleSet with_others(const Policy& policy, const RuleList& before,
                      std::span<const std::size_t> indices) const;

  std::size_t memory_bytes() const noexcept;

 private:
  friend RuleSet compile(const Policy& policy);
  struct Tables;
  explicit RuleSet(std::shared_ptr<const Tables> tables);
  std::shared_ptr<const Tables> tables_;
};

// The way to make one. Takes what it needs from the policy; the policy may be destroyed afterwards.
RuleSet compile(const Policy& policy);

}  // namespace rules
