#include "fwd/policy/enabled.h"

#include <fcntl.h>

#include "fwd/files.h"
#include "fwd/unique_fd.h"

namespace fwd::policy {

Result<bool> EnabledMark::read() const {
  if (access(path_.c_str(), F_OK) == 0) return false;
  if (errno == ENOENT) return true;
  return failed("look at " + path_);
}

Result<void> EnabledMark::write(bool enabled) const {
  if (enabled) {
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) return failed("remove " + path_);
  } else {
    const UniqueFd fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return failed("make " + path_);
  }
  return sync_directory(folder_);
}

}  // namespace fwd::policy
