#include "fwd/state_lock.h"

#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

namespace fwd {

Result<UniqueFd> lock_state(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return failed("make " + directory, error.value());
  const std::string path = directory + "/lock";
  UniqueFd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) return failed("open " + path);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return failed("another fwd is running with the state directory " + directory, 0);
  return failed("lock " + path);
}

}  // namespace fwd
