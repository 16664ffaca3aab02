#include "fwd/policy/installer.h"

#include <array>

#include <net/if.h>
#include <spdlog/spdlog.h>

namespace fwd::policy {
namespace {

rules::InterfaceId interface_id(const rules::RuleSet& rules, unsigned index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) == nullptr) return rules::kOtherInterface;
  return rules.interface_id(name.data());
}

bool allows(const rules::RuleSet& rules, const rules::Packet& first, rules::Direction direction,
            unsigned interface) {
  switch (rules.classify(first, direction, interface_id(rules, interface)).action) {
    case rules::Action::Allow:
    case rules::Action::Limit:
      return true;  // a limit counts only new connections
    case rules::Action::Deny:
    case rules::Action::Reject:
      return false;
  }
  __builtin_unreachable();
}

}  // namespace

Result<void> Installer::commit(const Active& active) {
  announce_(active);
  const engine::Hold hold = engine_.hold();
  // A worker that can't be held does no harm: chain B takes no verdict of an older generation.
  if (!hold.complete()) spdlog::debug("commit: a worker was too busy to be held");
  if (auto committed = firewall_.commit(active->policy, active->generation, active->mode);
      !committed)
    return committed;
  engine_.publish(active);
  return {};
}

Result<void> Installer::install_first(const Active& active) {
  adopt(active);
  if (auto committed = commit(active); !committed) return committed;
  if (lease_.healthy()) {
    if (auto renewed = lease_.renew(); !renewed) spdlog::warn("{}", renewed.error().message());
  }
  adopt(active);  // those that came in between
  return {};
}

void Installer::prepare(const Active& active) {
  announce_(active);
  engine_.publish(active);
}

// Without it some live connections are judged by the direction that conntrack takes them to have,
// which may be wrong; no firewall at all would be worse.
void Installer::adopt(const Active& active) {
  const auto counts = adopt_(
      active->generation,
      [&](const rules::Packet& first, rules::Direction direction, unsigned interface) {
        return active->mode == Mode::Observe || allows(active->rules, first, direction, interface);
      });
  if (!counts) {
    spdlog::warn("live connections keep no verdict: {}", counts.error().message());
  } else if (counts->approved + counts->revoked > 0) {
    spdlog::info("live connections: {} approved, {} denied", counts->approved, counts->revoked);
  }
}

}  // namespace fwd::policy
