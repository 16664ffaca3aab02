#include "fwd/state_lock.h"

#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

namespace fwd {

Result<UniqueFd> lock_state(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return failed("make " + directory, error.value());
  // The directory itself: a file that root made in it the daemon's user could not open.
  UniqueFd lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) return failed("open " + directory);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return failed("another fwd is running with the state directory " + directory, 0);
  return failed("lock " + directory);
}

}  // namespace fwd
