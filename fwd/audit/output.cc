#include "fwd/audit/output.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fwd/log.h"
#include "rules/count.h"

namespace fwd::audit {
namespace {

// Nothing where the path is too long for a socket's address.
std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

// 0, or errno.
int connect_to(const std::string& path, UniqueFd& result) {
  const auto address = address_of(path);
  if (!address) return ENAMETOOLONG;
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno;
  const auto* generic = reinterpret_cast<const sockaddr*>(&*address);
  if (::connect(socket.get(), generic, sizeof *address) != 0) return errno;
  result = std::move(socket);
  return 0;
}

// The receiver is there and has no room (unix(7): EAGAIN; ENOBUFS of a full send buffer).
bool is_full(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

}  // namespace

Output::Output(std::string name, std::string path, Frame frame)
    : name_(std::move(name)), path_(std::move(path)), frame_(std::move(frame)) {}

void Output::take(std::string_view line, Clock::time_point now) {
  std::string datagram;
  frame_(datagram, line);
  if (waiting_bytes_ + datagram.size() > kMostWaiting) {
    miss();
    return;
  }
  waiting_bytes_ += datagram.size();
  waiting_.push_back(std::move(datagram));
  {
    const std::lock_guard lock(mutex_);
    waiting_count_ = waiting_.size();
  }
  send_waiting(now);
}

std::optional<HealthEvent> Output::flush(Clock::time_point now) {
  send_waiting(now);
  if (episode_missed_ == 0) return std::nullopt;
  if (!episode_told_) return begin_episode();
  return waiting_.empty() ? end_episode() : std::nullopt;
}

void Output::send_waiting(Clock::time_point now) {
  while (!waiting_.empty()) {
    if (!socket_.valid() && !connect(now)) return;
    if (!send(waiting_.front(), now)) return;
    drop_first();
  }
}

// True where the datagram is done with.
bool Output::send(const std::string& datagram, Clock::time_point now) {
  if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
    pause_ = kFirstPause;
    const std::lock_guard lock(mutex_);
    ++sent_;
    trouble_.clear();
    return true;
  }
  const int error = errno;
  trouble(error);
  if (error == EMSGSIZE) {
    miss();
    return true;
  }
  return is_full(error) ? false : disconnect(now);
}

bool Output::connect(Clock::time_point now) {
  if (now < next_try_) return false;
  const int error = connect_to(path_, socket_);
  if (error == 0) return true;
  trouble(error);
  return disconnect(now);
}

bool Output::disconnect(Clock::time_point now) {
  socket_.reset();
  next_try_ = now + pause_;
  pause_ = std::min<Clock::duration>(pause_ * 2, kLongestPause);
  return false;
}

void Output::drop_first() {
  waiting_bytes_ -= waiting_.front().size();
  waiting_.pop_front();
  const std::lock_guard lock(mutex_);
  waiting_count_ = waiting_.size();
}

void Output::miss() {
  const std::lock_guard lock(mutex_);
  ++missed_;
  if (episode_missed_++ == 0) episode_trouble_ = trouble_;
}

void Output::trouble(int error) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::strerror(error);
}

std::optional<HealthEvent> Output::begin_episode() {
  episode_told_ = true;
  std::string message = fmt::format("the {} at {} takes no records: {}; what it misses is counted",
                                    name_, path_, episode_trouble_);
  log::error("audit: {}", message);
  return HealthEvent{HealthType::Info, "output_lost", std::move(message), name_};
}

std::optional<HealthEvent> Output::end_episode() {
  episode_told_ = false;
  const std::uint64_t missed = std::exchange(episode_missed_, 0);
  std::string message = fmt::format("the {} at {} takes records again, and has missed {}", name_,
                                    path_, rules::count(missed, "line"));
  log::warning("audit: {}", message);
  HealthEvent event{HealthType::Info, "output_back", std::move(message), name_};
  event.missed = missed;
  return event;
}

std::uint64_t Output::end() {
  const std::uint64_t lines = waiting_.size();
  waiting_.clear();
  waiting_bytes_ = 0;
  const std::lock_guard lock(mutex_);
  missed_ += lines;
  waiting_count_ = 0;
  return lines;
}

OutputState Output::state() const {
  const std::lock_guard lock(mutex_);
  return {name_, path_, sent_, missed_, waiting_count_, trouble_};
}

}  // namespace fwd::audit
