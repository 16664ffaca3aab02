#include "fwd/control/listener.h"

#include <algorithm>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace fwd::control {
namespace {

constexpr int kBacklog = 64;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return failed("the socket's path: " + path, ENAMETOOLONG);
  std::ranges::copy(path, address.sun_path);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return failed("look at " + path);
  }
  if (!S_ISSOCK(status.st_mode)) return failed(path + " is in the way: it isn't a socket", 0);
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return failed("make a socket");
  // EAGAIN: somebody listens and is busy.
  if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return failed("another daemon already serves " + path, 0);
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return failed("connect to " + path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return failed("remove the stale socket " + path);
  return {};
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  if (auto cleared = clear_stale(path, *address); !cleared) return std::unexpected(cleared.error());
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return failed("make a socket");
  if (bind(listener.get(), generic(*address), sizeof *address) != 0) return failed("bind " + path);
  if (chmod(path.c_str(), 0666) != 0) return failed("open " + path + " to all users");
  if (listen(listener.get(), kBacklog) != 0) return failed("listen on " + path);
  return listener;
}

}  // namespace fwd::control
