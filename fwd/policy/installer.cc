#include "fwd/policy/installer.h"

#include "fwd/log.h"

namespace fwd::policy {

Installer::Installer(engine::Engine& engine, kernel::Firewall& firewall, Lease lease,
                     Connections connections, Announcements announce)
    : engine_(engine),
      firewall_(firewall),
      lease_(lease),
      connections_(std::move(connections)),
      announce_(std::move(announce)),
      later_sweep_(std::make_unique<LaterSweep>(
          [connections = connections_, record = announce_.record](const Active& active) {
            sweep_live(connections, *active, record);
          })) {}

Cut none_cut() {
  std::promise<std::size_t> none;
  none.set_value(0);
  return none.get_future();
}

Result<Cut> Installer::commit(const Active& active, LiveEffect effect) {
  later_sweep_->end();
  announce_.policy(active);
  const auto switch_over = [&](const kernel::Send& send) -> Result<void> {
    const engine::Hold hold = engine_.hold();
    // A worker that can't be held does no harm: chain B takes no verdict of an older generation.
    if (!hold.complete()) log::debug("commit: a worker was too busy to be held");
    if (auto sent = send(); !sent) return sent;
    if (in_use() != active) engine_.publish(active);
    return {};
  };
  const auto committed =
      firewall_.commit(active->policy, active->generation, active->mode, switch_over);
  if (!committed) return std::unexpected(committed.error());
  if (effect == LiveEffect::CutsNone) {
    later_sweep_->want(active);
    return none_cut();
  }
  return std::async(std::launch::async,
                    [active, connections = connections_, record = announce_.record] {
                      return sweep_live(connections, *active, record);
                    });
}

Result<Cut> Installer::install_first(const Active& active) {
  adopt_live(connections_, *active);
  auto committed = commit(active);
  if (!committed) return committed;
  committed->wait();
  if (lease_.healthy()) {
    if (auto renewed = lease_.renew(); !renewed) log::warning("{}", renewed.error().message());
  }
  adopt_live(connections_, *active);  // those that came in between
  return committed;
}

void Installer::prepare(const Active& active) {
  announce_.policy(active);
  engine_.publish(active);
}

Result<std::vector<kernel::JudgedConnection>> Installer::would_cut(const Active& active) const {
  return policy::would_cut(connections_, *active);
}

}  // namespace fwd::policy
