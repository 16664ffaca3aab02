// A raw client for control server tests: what it sends is exactly what the test wrote.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "fwd/unique_fd.h"

namespace fwd::control::test {

inline UniqueFd connect_to(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fd.reset();
  return fd;
}

// The raw system call changes this thread's effective user only, which is what the peer's
// credentials are.
inline UniqueFd connect_as(uid_t user, const std::string& path) {
  const auto keep = static_cast<uid_t>(-1);
  if (syscall(SYS_setresuid, keep, user, keep) != 0) return {};
  UniqueFd fd = connect_to(path);
  if (syscall(SYS_setresuid, keep, getuid(), keep) != 0) return {};
  return fd;
}

inline bool send_all(int fd, const std::string& text) {
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Until the server closes, or nothing comes for `patience`; nothing in the latter case.
inline std::optional<std::string> read_to_end(
    int fd, std::chrono::milliseconds patience = std::chrono::seconds(5)) {
  std::string text;
  char buffer[4096];
  while (true) {
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

inline std::string request(const std::string& method, const std::string& target,
                           const std::string& body = {}) {
  return method + " " + target + " HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\n" +
         (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" +
         body;
}

}  // namespace fwd::control::test
