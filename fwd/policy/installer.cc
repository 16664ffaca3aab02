#include "fwd/policy/installer.h"

#include <exception>

#include "fwd/beside.h"
#include "fwd/log.h"

namespace fwd::policy {
namespace {

// The policy is in force by then, whatever comes of this: packets are judged on their way.
std::size_t sweep_or_log(const Connections& connections, const engine::ActivePolicy& active,
                         const std::function<void(const audit::VerdictRecord&)>& tell) {
  try {
    return sweep_live(connections, active, tell);
  } catch (const std::exception& error) {
    log::error("live connections wait for their next packet to be judged again: {}", error.what());
    return 0;
  }
}

}  // namespace

Installer::Installer(engine::Engine& engine, kernel::Firewall& firewall, Lease lease,
                     Connections connections, Announcements announce)
    : engine_(engine),
      firewall_(firewall),
      lease_(lease),
      connections_(std::move(connections)),
      announce_(std::move(announce)),
      sweep_([connections = connections_, record = announce_.record](const Active& active) {
        return sweep_or_log(connections, *active, record);
      }),
      later_sweep_(std::make_unique<LaterSweep>(sweep_)) {}

Cut none_cut() {
  std::promise<std::size_t> none;
  none.set_value(0);
  return none.get_future();
}

Result<Cut> Installer::commit(const Active& active, LiveEffect effect) {
  later_sweep_->end();
  announce_.policy(active);
  Cut cut;  // which waits for its thread if the commit fails
  const auto switch_over = [&](const kernel::Send& send) -> Result<void> {
    {
      const engine::Hold hold = engine_.hold();
      // A worker that can't be held does no harm: chain B takes no verdict of an older generation.
      if (!hold.complete()) log::debug("commit: a worker was too busy to be held");
      if (auto sent = send(); !sent) return sent;
      if (in_use() != active) engine_.publish(active);
    }
    // All that is still to be done goes on meanwhile.
    if (effect == LiveEffect::MayCut && !cut.valid())
      cut = beside([sweep = sweep_, active] { return sweep(active); });
    return {};
  };
  const auto committed =
      firewall_.commit(active->policy, active->generation, active->mode, switch_over);
  engine_.let_go_of_retired();
  if (!committed) return std::unexpected(committed.error());
  if (effect == LiveEffect::MayCut) return cut;
  later_sweep_->want(active);
  return none_cut();
}

Result<Cut> Installer::install_first(const Active& active) {
  adopt_live(connections_, *active);
  auto committed = commit(active);
  if (!committed) return committed;
  committed->wait();  // or it would judge what is adopted below
  if (lease_.healthy()) {
    if (auto renewed = lease_.renew(); !renewed) log::warning("{}", renewed.error().message());
  }
  adopt_live(connections_, *active);  // those that came in between
  return committed;
}

void Installer::prepare(const Active& active) {
  announce_.policy(active);
  engine_.publish(active);
  engine_.let_go_of_retired();
}

Result<std::vector<kernel::JudgedConnection>> Installer::would_cut(const Active& active) const {
  return policy::would_cut(connections_, *active);
}

}  // namespace fwd::policy
