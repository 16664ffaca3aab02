#include "fwd/keep_alive.h"

#include "fwd/log.h"

namespace fwd {

bool KeepAlive::beat(Time now) {
  if (!lease_.healthy()) {
    if (ran_out(now)) actions_.lease_ran_out();
    return false;
  }
  if (policy_.enabled()) {
    look_after_table(now);
  } else {
    renewed_.reset();
  }
  actions_.feed_watchdog();
  return true;
}

// The whole table first: a lease of half a table would be worth nothing.
void KeepAlive::look_after_table(Time now) {
  const auto damage = firewall_.damage();
  if (!damage) return log::error("{}", damage.error().message());
  if (*damage) {
    const auto restored = policy_.restore();
    if (!restored) return log::error("{}", restored.error().message());
    if (!*restored) return;
    renewed_.reset();
    actions_.restored(**damage);
  }
  renew(now);
}

void KeepAlive::renew(Time now) {
  const auto done = lease_.renew();
  // ENOENT: the table has gone this moment; the next beat finds it.
  if (!done && done.error().code == ENOENT) return;
  if (!done) return log::error("{}", done.error().message());
  if (!renewed_) {
    actions_.first_lease();
  } else if (ran_out(now)) {
    actions_.lease_ran_out();
  }
  renewed_ = now;
}

}  // namespace fwd
