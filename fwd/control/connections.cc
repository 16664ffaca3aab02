#include "fwd/control/connections.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>
#include <sys/socket.h>

#include "fwd/control/router.h"
#include "fwd/log.h"

namespace fwd::control {
namespace {

// The client may not have sent its request yet, so this can't wait for it. An answer that doesn't
// fit isn't sent.
void refuse(int fd, const std::string& message) {
  const Response response = error_response({ctl::api::ErrorCode::Busy, message, {}});
  const std::string text = fmt::format(
      "HTTP/1.1 {} Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
      "Content-Length: {}\r\n\r\n{}",
      response.status, response.body.size(), response.body);
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    log::debug("control: a refusal could not be sent: {}", SystemError{"send", errno}.message());
  }
  shutdown(fd, SHUT_RDWR);
}

}  // namespace

bool Connections::room_for(const Peer& peer) const {
  if (peer.uid == 0) return true;
  const auto own =
      std::ranges::count(open_, peer.uid, [](const Connection& open) { return open.peer.uid; });
  return open_.size() < limits_.connections &&
         static_cast<std::size_t>(own) < limits_.connections_per_user;
}

Connection* Connections::opened(int fd) {
  auto peer = peer_of_(fd);
  if (!peer) {
    log::warning("control: {}", peer.error().message());
    shutdown(fd, SHUT_RDWR);
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  if (!room_for(*peer)) {
    refuse(fd, "too many connections; try again");
    return nullptr;
  }
  return &open_.emplace_back(Connection{fd, std::move(*peer), Clock::now() + limits_.request});
}

void Connections::closed(Connection* connection) {
  const std::lock_guard lock(mutex_);
  open_.remove_if([&](const Connection& open) { return &open == connection; });
}

void Connections::begin_request(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connection.deadline = Clock::now() + limits_.request;
}

void Connections::begin_work() {
  const std::lock_guard lock(mutex_);
  work_began_ = Clock::now();
}

void Connections::end_work(Connection& connection) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto taken = now - work_began_.value_or(now);
  work_began_.reset();
  for (Connection& open : open_) open.deadline += taken;
  connection.deadline = now + limits_.request;
}

void Connections::sweep(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (work_began_) return;
  for (const Connection& connection : open_) {
    if (connection.deadline <= now) shutdown(connection.fd, SHUT_RDWR);
  }
}

}  // namespace fwd::control
