// Puts a policy in force: kernel and workers change together, or not at all.
#pragma once

#include <functional>
#include <memory>

#include "fwd/engine/engine.h"
#include "fwd/kernel/adopt.h"
#include "fwd/kernel/table.h"
#include "fwd/policy/lease.h"

namespace fwd::policy {

using Active = std::shared_ptr<const engine::ActivePolicy>;

class Installer {
 public:
  // kernel::adopt_connections with its ct mark; tests put a fake here.
  using Adopt = std::function<Result<kernel::AdoptedCounts>(kernel::Generation,
                                                            const kernel::ConnectionJudge&)>;
  // Told of every policy before a packet is judged by it, so that its records can be read.
  using Announce = std::function<void(const Active&)>;

  Installer(engine::Engine& engine, kernel::Firewall& firewall, Lease lease, Adopt adopt,
            Announce announce)
      : engine_(engine),
        firewall_(firewall),
        lease_(lease),
        adopt_(std::move(adopt)),
        announce_(std::move(announce)) {}

  kernel::Firewall& firewall() { return firewall_; }
  std::size_t workers() const { return engine_.worker_count(); }

  // With the workers held, so that no packet is judged by one policy in the kernel and another one
  // here.
  Result<void> commit(const Active& active);

  // The same where there is no table yet: live connections are older than it and keep their
  // verdict.
  Result<void> install_first(const Active& active);

  // For workers that judge nothing because there is no table: the next commit finds them ready.
  void prepare(const Active& active);

 private:
  void adopt(const Active& active);

  engine::Engine& engine_;
  kernel::Firewall& firewall_;
  Lease lease_;
  Adopt adopt_;
  Announce announce_;
};

}  // namespace fwd::policy
