// New connections a second to the HTTP server of each of several hosts, in slices by turns.
//     connect DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...
// In a slice sixty-four clients in one host's network namespace (as `ip netns` names it) connect, ask, read until the server closes,
// and connect again; it ends when each has done so for the last time. Prints a line for each round: connections a second of each
// namespace. One that is reset isn't counted. That happens to one of some hundred thousand that go through a queue, whoever serves it; the
// reset is of the server's TCP. Probably its handshake's last packet and its request are handled on two processors at once, and a lookup
// finds neither the old socket nor the new one (inet_ehash_insert in net/ipv4/inet_hashtables.c). More than one of a hundred is an error.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/turns.h"

namespace {

using bench::failed;
using bench::kPatience;
using Clock = std::chrono::steady_clock;
using fwd::UniqueFd;

constexpr std::size_t kClients = 64;
// Before each slice: what the one before has left to do, an audit log's lines for example, isn't this host's.
constexpr std::chrono::milliseconds kRest{30};
constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: www.foobar.com\r\nConnection: close\r\n\r\n";

// One connection after the other. What fails says errno.
class Client {
 public:
  bool connect(int epoll, const sockaddr_in& there) {
    fd_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.valid()) return false;
    asked_ = answered_ = false;
    const auto* address = reinterpret_cast<const sockaddr*>(&there);
    if (::connect(fd_.get(), address, sizeof there) != 0 && errno != EINPROGRESS) return false;
    return wait_for(epoll, EPOLL_CTL_ADD, EPOLLOUT);
  }

  // When it has something to do.
  bool go_on(int epoll) {
    if (!asked_) {
      asked_ = true;
      if (send(fd_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return reset();
      return wait_for(epoll, EPOLL_CTL_MOD, EPOLLIN);
    }
    std::array<char, 4096> part;
    const ssize_t count = recv(fd_.get(), part.data(), part.size(), 0);
    if (count < 0) return errno == EAGAIN || reset();
    if (count > 0)
      answered_ = true;
    else
      fd_ = UniqueFd();
    return true;
  }

  bool done() const { return !fd_.valid(); }
  bool answered() const { return answered_; }  // when it is done

 private:
  bool wait_for(int epoll, int operation, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = this}};
    return epoll_ctl(epoll, operation, fd_.get(), &event) == 0;
  }

  // Whether that is what has happened.
  bool reset() {
    const bool was_reset = errno == ECONNRESET;
    answered_ = false;
    fd_ = UniqueFd();
    return was_reset;
  }

  UniqueFd fd_;
  bool asked_ = false;
  bool answered_ = false;
};

// Connections a second; nothing where they fail, as errno says.
std::optional<double> slice(const std::string& network, const sockaddr_in& there,
                            std::chrono::milliseconds time) {
  const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid() || !bench::enter(network)) return std::nullopt;
  std::this_thread::sleep_for(kRest);
  std::array<Client, kClients> clients;
  const auto start = Clock::now();
  for (Client& client : clients)
    if (!client.connect(epoll.get(), there)) return std::nullopt;
  std::size_t answers = 0;
  std::size_t broken = 0;
  for (std::size_t open = kClients; open > 0;) {
    std::array<epoll_event, kClients> events;
    constexpr int kMost = std::chrono::milliseconds(kPatience).count();
    const int ready = epoll_wait(epoll.get(), events.data(), events.size(), kMost);
    if (ready == 0) errno = ETIMEDOUT;
    if (ready <= 0) return std::nullopt;
    for (int at = 0; at < ready; ++at) {
      auto& client = *static_cast<Client*>(events[static_cast<std::size_t>(at)].data.ptr);
      if (!client.go_on(epoll.get())) return std::nullopt;
      if (!client.done()) continue;
      ++(client.answered() ? answers : broken);
      if (Clock::now() - start >= time)
        --open;
      else if (!client.connect(epoll.get(), there))
        return std::nullopt;
    }
  }
  errno = ECONNRESET;
  if (broken > answers / 100) return std::nullopt;
  return static_cast<double>(answers) / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  in_addr destination{};
  if (argc < 6 || inet_pton(AF_INET, argv[1], &destination) != 1) {
    std::fputs("usage: connect DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...\n", stderr);
    return 2;
  }
  const sockaddr_in there = bench::endpoint(destination, argv[2]);
  const std::chrono::milliseconds time(std::atoi(argv[3]));
  const std::vector<std::string> networks(argv + 5, argv + argc);
  std::vector<double> rates(networks.size());
  const auto measure = [&](std::size_t host) {
    const auto rate = slice(networks[host], there, time);
    if (rate) rates[host] = *rate;
    return rate.has_value();
  };
  const auto tell = [&] {
    for (const double rate : rates) std::printf("%.0f ", rate);
    std::printf("\n");
  };
  return bench::take_turns(networks.size(), static_cast<unsigned>(std::atoi(argv[4])), measure,
                           tell);
}
