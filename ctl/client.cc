#include "ctl/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/api/codec.h"
#include "rules/diagnostic.h"

namespace ctl {
namespace {

using Clock = std::chrono::steady_clock;
using api::Error;
using api::ErrorCode;

class Socket {
 public:
  Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> unreachable(std::string_view path, std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::Unreachable,
            fmt::format("no answer from fwd at {}: {} (is fwd running? systemctl status fwd)",
                        rules::printable(path), why),
            {}});
}

std::unexpected<Error> cannot_connect(std::string_view path, int code) {
  if (code == EACCES || code == EPERM) {
    return std::unexpected(
        Error{ErrorCode::NotPermitted,
              fmt::format("you may not use {}: that is for root and the group fwd-admin, and for "
                          "reading also the group fwd-read",
                          rules::printable(path)),
              {}});
  }
  return unreachable(path, std::generic_category().message(code));
}

std::expected<void, int> connect_to(const Socket& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) return std::unexpected(ENOENT);
  if (path.size() >= sizeof address.sun_path) return std::unexpected(ENAMETOOLONG);
  std::copy(path.begin(), path.end(), address.sun_path);
  if (socket.fd() < 0 ||
      ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(errno);
  }
  return {};
}

// Waits until `events` are there; false when the time is over.
bool wait_for(const Socket& socket, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{socket.fd(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool is_transient(int code) {
  return code == EAGAIN || code == EINTR;
}

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};  // sendmsg() doesn't write there
}

// Stops early when the peer doesn't listen any more: it may have answered what it read so far. Head and body go
// together, so that a short request wakes the daemon once.
bool send_all(const Socket& socket, std::string_view head, std::string_view body,
              Clock::time_point deadline) {
  while (!head.empty() || !body.empty()) {
    if (!wait_for(socket, POLLOUT, deadline)) return false;
    std::array parts{part_of(head), part_of(body)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(socket.fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !is_transient(errno)) return true;
    const auto gone = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    const std::size_t of_head = std::min(gone, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(gone - of_head);
  }
  return true;
}

std::expected<Reply, std::string> receive(const Socket& socket, Clock::time_point deadline) {
  ReplyReader reader;
  std::array<char, 65536> buffer;
  while (wait_for(socket, POLLIN, deadline)) {
    const ssize_t got = ::recv(socket.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && is_transient(errno)) continue;
    if (got <= 0) return reader.finish();
    const auto complete = reader.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (!complete) return std::unexpected(complete.error());
    if (*complete) return reader.finish();
  }
  return std::unexpected("it takes too long");
}

}  // namespace

std::expected<Reply, Error> Client::exchange(const Request& request) const {
  const auto deadline = Clock::now() + request.timeout;
  const Socket socket;
  // A full backlog makes connect() wait.
  const timeval patience{request.timeout.count(), 0};
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (const auto connected = connect_to(socket, socket_); !connected) {
    return cannot_connect(socket_, connected.error());
  }
  if (!send_all(socket, request_head(request, sudo_uid_), request.body, deadline))
    return unreachable(socket_, "it doesn't take the request");
  auto reply = receive(socket, deadline);
  if (!reply) return unreachable(socket_, "its answer is of no use, " + reply.error());
  return *std::move(reply);
}

std::expected<std::string, Error> body_of(Reply reply) {
  if (reply.status < 300) return std::move(reply.body);
  auto told = api::decode<api::ErrorBody>(reply.body);
  if (told) return std::unexpected(std::move(told->error));
  return std::unexpected(
      Error{api::code_of(reply.status),
            fmt::format("fwd refuses the request with HTTP status {}", reply.status),
            {}});
}

}  // namespace ctl
