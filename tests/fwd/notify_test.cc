#include "fwd/notify.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

// A service manager that listens under this name; '@' for an abstract one.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string heard() const {
    std::array<char, 256> buffer{};
    const ssize_t length = recv(fd_, buffer.data(), buffer.size(), 0);
    return length < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(length));
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("the service manager hears what it is told, at a path or under an abstract name") {
  const auto path =
      std::filesystem::temp_directory_path() / ("fwd-notify-" + std::to_string(getpid()));
  for (const std::string& name : {path.string(), "@" + path.string()}) {
    const Manager manager(name);
    fwd::notify("READY=1");
    CHECK(manager.heard() == "READY=1");
  }
  std::filesystem::remove(path);
}

TEST_CASE("without a service manager nobody is told") {
  unsetenv("NOTIFY_SOCKET");
  fwd::notify("READY=1");
  setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  fwd::notify("READY=1");
  setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  fwd::notify("READY=1");
  unsetenv("NOTIFY_SOCKET");
  SUCCEED();
}
