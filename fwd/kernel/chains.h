// The table as values: chains A and B of a packet's way, for input and output, and what hangs
// below them. Pure, so that the order of every rule is pinned by tests; fwd/kernel/table.cc writes
// it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fwd/kernel/marks.h"
#include "fwd/kernel/table.h"
#include "rules/kernel_plan.h"
#include "rules/nft.h"
#include "rules/policy.h"

namespace fwd::kernel {

// Names that other code reads from the kernel.
inline constexpr const char* kLeaseSet = "lease";
inline constexpr const char* kStateChain =
    "state";  // unhooked; its one rule's comment says generation and policy
inline constexpr const char* kCounterCopyAllowed = "copy_allowed";
inline constexpr const char* kCounterCopyDenied = "copy_denied";
inline constexpr const char* kCounterCopyMetered = "copy_metered";
inline constexpr const char* kCounterRevoked = "revoked";
inline constexpr const char* kCounterShed = "shed";
inline constexpr const char* kCounterLimitRefused = "limit_refused";
inline constexpr const char* kShedSet4 = "shed_v4";
inline constexpr const char* kShedSet6 = "shed_v6";

// One element each, of the generation in force: what a packet's priority has of it, and a connection's mark that was
// approved or revoked. A commit changes these, and rules of nothing but conntrack's fields: for one that has a verdict, or
// that reads or writes what `meta` names, the kernel goes through the whole table (net/netfilter/nf_tables_api.c,
// nf_tables_validate).
inline constexpr const char* kObeyedSet = "now_obeyed";
inline constexpr const char* kApprovedSet = "now_approved";
inline constexpr const char* kRevokedSet = "now_revoked";

// What NFLOG messages of a `limit` rule begin with; the slot follows.
inline constexpr const char* kLimitAllowedPrefix = "fwd limit ok ";
inline constexpr const char* kLimitRefusedPrefix = "fwd limit over ";

// By rule index, as far as the last `limit` rule: its slot, 0 for the others.
std::vector<LimitSlot> limit_slots(const rules::Policy& policy);

// In order: the first has slot 1.
using LimitRules = std::vector<const rules::Rule*>;
LimitRules limit_rules(const rules::KernelPlan& plan);

// What, beside a policy's rules, the table is made from.
struct Switches {
  rules::Builtins builtins;
  rules::Action default_in = rules::Action::Deny;
  rules::Action default_out = rules::Action::Deny;
  Mode mode = Mode::Enforce;

  bool operator==(const Switches&) const = default;
};

// All of a table but what the plan emits and what is there for each of its rules: that is fwd/kernel/wanted_table.h's. A table
// that observes has no rule that drops or rejects.
struct FixedPart {
  Switches switches;
  std::shared_ptr<const rules::nft::Table>
      lasting;                // from one commit to the next, while the switches are the same
  rules::nft::Table current;  // sets and chains that each commit changes; of chains A one rule
  bool limits = false;        // some are the lasting part's

  rules::nft::Table whole() const;
};

// `plan` is of this policy. The lasting part is the one before's where it would be the same; `settings` are always the same ones.
FixedPart build_fixed(const FixedPart& before, const rules::Policy& policy,
                      const rules::KernelPlan& plan, Generation generation, Mode mode,
                      const TableSettings& settings);

std::string state_comment(const TableState& state);
std::optional<TableState> parse_state_comment(std::string_view comment);

}  // namespace fwd::kernel
