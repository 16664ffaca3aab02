// The compiled rule set: the classifier that the daemon runs on every first packet. Immutable once compiled; any
// number of threads may classify at once. classify() neither allocates nor locks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rules/packet.h"
#include "rules/policy.h"

namespace rules {

// Which interface a packet came in by or goes out by, as the rule set counts the names its rules mention.
enum class InterfaceId : std::uint32_t {};
inline constexpr InterfaceId kOtherInterface{0};  // one that no rule names

enum class DecidedBy : std::uint8_t { Builtin, Rule, Default };

struct Decision {
  Action action = Action::Deny;
  DecidedBy by = DecidedBy::Default;
  std::uint32_t index = 0;  // into Policy::builtin_rules or Policy::rules; 0 with Default

  bool operator==(const Decision&) const = default;
};

class RuleSet {
 public:
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;
  ~RuleSet();

  // The first match among built-in rules, then rules, then the default of the direction.
  Decision classify(const Packet& packet, Direction direction,
                    InterfaceId interface) const noexcept;

  // kOtherInterface for a name that no rule mentions.
  InterfaceId interface_id(std::string_view name) const noexcept;
  // Name of each id; element 0 is empty.
  const std::vector<std::string>& interfaces() const noexcept;

  std::size_t memory_bytes() const noexcept;

 private:
  friend RuleSet compile(const Policy& policy);
  struct Tables;
  explicit RuleSet(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

// The only way to make one. Takes what it needs from the policy; the policy may be destroyed afterwards.
RuleSet compile(const Policy& policy);

}  // namespace rules
