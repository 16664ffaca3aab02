#include "fwd/notify.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fwd {

// One datagram to the socket that the environment names; '@' stands for the zero byte that an
// abstract one begins with. There is nobody to tell when it fails: the manager then sees a timeout.
void notify(std::string_view state) noexcept {
  const char* name = std::getenv("NOTIFY_SOCKET");
  const std::string_view path = name != nullptr ? name : "";
  sockaddr_un to{};
  if (path.empty() || path.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::ranges::copy(path, to.sun_path);
  if (path.front() == '@') to.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  (void)sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
               length);
  close(fd);
}

}  // namespace fwd
