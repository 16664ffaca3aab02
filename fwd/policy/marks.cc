#include "fwd/policy/marks.h"

#include <fcntl.h>

#include "fwd/files.h"
#include "fwd/unique_fd.h"

namespace fwd::policy {

Result<bool> Mark::is_set() const {
  if (access(path_.c_str(), F_OK) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("look at " + path_);
}

Result<void> Mark::set(bool there) const {
  if (there) {
    const UniqueFd fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return failed("make " + path_);
  } else {
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) return failed("remove " + path_);
  }
  return sync_directory(folder_);
}

Result<bool> EnabledMark::read() const {
  const auto disabled = disabled_.is_set();
  if (!disabled) return std::unexpected(disabled.error());
  return !*disabled;
}

Result<Mode> ModeMark::read() const {
  const auto observe = observe_.is_set();
  if (!observe) return std::unexpected(observe.error());
  return *observe ? Mode::Observe : Mode::Enforce;
}

}  // namespace fwd::policy
