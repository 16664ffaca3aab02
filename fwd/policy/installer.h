// Puts a policy in force: kernel and workers change together, or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>

#include "fwd/engine/engine.h"
#include "fwd/kernel/table.h"
#include "fwd/policy/later_sweep.h"
#include "fwd/policy/lease.h"
#include "fwd/policy/live_connections.h"

namespace fwd::policy {

using Active = std::shared_ptr<const engine::ActivePolicy>;

// What the audit log hears of.
struct Announcements {
  // Every policy before a packet is judged by it, so that its records can be read.
  std::function<void(const Active&)> policy;
  std::function<void(const audit::VerdictRecord&)> record;  // of a connection that is cut
};

// What a change may do to connections that the policy before lets go on.
enum class LiveEffect : std::uint8_t { MayCut, CutsNone };

// How many live connections were cut: there as soon as all have been judged, or at once where none can be.
using Cut = std::future<std::size_t>;
Cut none_cut();

class Installer {
 public:
  Installer(engine::Engine& engine, kernel::Firewall& firewall, Lease lease,
            Connections connections, Announcements announce);

  kernel::Firewall& firewall() { return firewall_; }
  std::size_t workers() const { return engine_.worker_count(); }

  // The workers are held while the kernel goes over to it, so that no packet is judged by one policy
  // there and another one here. From then on live connections are judged again, on a thread of their own; where none can
  // be cut, nobody is to wait for them. After an error in_use() tells whether kernel and workers have it all the same;
  // then all live connections have been judged by it, and are to be once more by what takes its place.
  Result<Cut> commit(const Active& active, LiveEffect effect = LiveEffect::MayCut);
  Active in_use() const { return engine_.policy(); }

  // The same where there is no table yet: live connections are older than it and keep their
  // verdict.
  Result<Cut> install_first(const Active& active);

  // For workers that judge nothing because there is no table: the next commit finds them ready.
  void prepare(const Active& active);

  // The live connections that this policy would cut.
  Result<std::vector<kernel::JudgedConnection>> would_cut(const Active& active) const;

 private:
  engine::Engine& engine_;
  kernel::Firewall& firewall_;
  Lease lease_;
  Connections connections_;
  Announcements announce_;
  std::function<std::size_t(const Active&)> sweep_;  // of live connections; throws nothing
  std::unique_ptr<LaterSweep> later_sweep_;
};

}  // namespace fwd::policy
