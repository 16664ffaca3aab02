// PolicyManager's switches: enable and disable, observe and enforce; and the table's return when
// somebody else took it away.

#include "fwd/log.h"
#include "fwd/policy/manager.h"

namespace fwd::policy {
namespace {

// Of an attempt to take back a change that failed: that one's error is what somebody hears of.
void log_failure(const Result<void>& done) {
  if (!done) log::error("{}", done.error().message());
}

}  // namespace

// Disk and kernel change in turn; when the second fails the first is taken back.
Outcome<bool> PolicyManager::set_enabled(bool enabled) {
  const std::lock_guard lock(change_mutex_);
  if (enabled == enabled_) return false;
  if (auto written = enabled_mark_.write(enabled); !written) return internal(written.error());
  enabled_ = enabled;
  const auto changed = enabled ? enforce_again() : installer_.firewall().remove();
  if (changed) return true;
  enabled_ = !enabled;
  log_failure(enabled_mark_.write(!enabled));
  if (enabled) log_failure(installer_.firewall().remove());
  take_back();
  return internal(changed.error());
}

Outcome<bool> PolicyManager::set_mode(Mode mode) {
  const std::lock_guard lock(change_mutex_);
  const Mode before = mode_;
  if (mode == before) return false;
  if (auto written = mode_mark_.write(mode); !written) return internal(written.error());
  mode_ = mode;
  const auto changed = enforce_again();
  if (changed) return true;
  mode_ = before;
  log_failure(mode_mark_.write(before));
  take_back();
  return internal(changed.error());
}

Result<bool> PolicyManager::restore() {
  const std::lock_guard lock(change_mutex_);
  if (!enabled_) return false;
  const auto damage = installer_.firewall().damage();
  if (!damage) return std::unexpected(damage.error());
  if (!*damage) return false;
  const auto wanted = enabled_mark_.read();
  if (!wanted) return std::unexpected(wanted.error());
  if (!*wanted) {
    log::warning("the firewall was disabled from outside; `fwctl enable` brings it back");
    enabled_ = false;
    return false;
  }
  log::warning("somebody else changed the firewall's table, putting it back: {}", **damage);
  if (auto enforced = enforce_again(); !enforced) return std::unexpected(enforced.error());
  return true;
}

}  // namespace fwd::policy
