// How long requests take on open connections to the HTTP server of each of several hosts, in short slices by turns.
//     latency DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...
// Opens eight connections from each network namespace (as `ip netns` names it). In a slice each of one host's has a request under
// way all the time; the slice ends when the last answers are there. Answers must all be of the same length. It prints a line
// for each round: for each namespace the microseconds that half of the slice's requests, and 99 of 100, took at most. The last line is
// of all slices' requests.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/bench/turns.h"

namespace {

using bench::connect_from;
using bench::failed;
using bench::kPatience;
using Clock = std::chrono::steady_clock;
using fwd::UniqueFd;

constexpr std::size_t kConnections = 8;
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: www.foobar.com\r\n\r\n";

struct Percentiles {
  double half = 0;  // microseconds
  double most = 0;  // of 99 of 100
};

// Reorders them.
Percentiles percentiles(std::vector<double>& times) {
  const auto below = [&](std::size_t of_hundred) {
    const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * of_hundred / 100);
    std::ranges::nth_element(times, at);
    return *at;
  };
  return {below(50), below(99)};
}

class Connection {
 public:
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool ask() {
    asked_ = Clock::now();
    received_ = 0;
    return send(fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(kRequest.size());
  }
  // Reads what is there: false where the connection is broken.
  bool read() {
    std::array<char, 4096> part;
    const ssize_t count = recv(fd(), part.data(), part.size(), 0);
    if (count > 0) received_ += static_cast<std::size_t>(count);
    if (count == 0) errno = ECONNRESET;
    return count > 0;
  }
  std::size_t received() const { return received_; }
  double microseconds() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - asked_).count();
  }

 private:
  UniqueFd fd_;
  Clock::time_point asked_;
  std::size_t received_ = 0;
};

class Host {
 public:
  Host(const std::string& network, const sockaddr_in& there) {
    for (std::size_t i = 0; i < kConnections; ++i)
      connections_.emplace_back(connect_from(network, there));
  }

  bool valid() const {
    return std::ranges::all_of(connections_, [](const Connection& one) { return one.fd() >= 0; });
  }

  // The length of an answer: as much as comes before nothing comes for a while.
  bool learn() {
    constexpr int kSilence = 200;  // ms
    Connection& one = connections_.front();
    if (!one.ask()) return false;
    pollfd readable{one.fd(), POLLIN, 0};
    while (poll(&readable, 1, kSilence) == 1)
      if (!one.read()) return false;
    answer_ = one.received();
    return answer_ > 0;
  }

  // Nothing where a connection breaks, as errno says.
  std::optional<Percentiles> slice(std::chrono::milliseconds time) {
    times_.clear();
    std::array<pollfd, kConnections> waiting{};
    for (std::size_t i = 0; i < kConnections; ++i) {
      waiting[i] = {connections_[i].fd(), POLLIN, 0};
      if (!connections_[i].ask()) return std::nullopt;
    }
    const auto last = Clock::now() + time;
    for (std::size_t open = kConnections; open > 0;) {
      constexpr int kMost = std::chrono::milliseconds(kPatience).count();
      const int ready = poll(waiting.data(), waiting.size(), kMost);
      if (ready == 0) errno = ETIMEDOUT;
      if (ready <= 0) return std::nullopt;
      for (std::size_t i = 0; i < kConnections; ++i) {
        if (waiting[i].revents == 0) continue;
        Connection& one = connections_[i];
        if (!one.read()) return std::nullopt;
        if (one.received() < answer_) continue;
        times_.push_back(one.microseconds());
        if (Clock::now() < last) {
          if (!one.ask()) return std::nullopt;
        } else {
          waiting[i].fd = -1;  // which poll passes over
          --open;
        }
      }
    }
    all_.insert(all_.end(), times_.begin(), times_.end());
    return percentiles(times_);
  }

  Percentiles all() { return percentiles(all_); }

 private:
  std::vector<Connection> connections_;
  std::size_t answer_ = 0;
  std::vector<double> times_;  // of a slice
  std::vector<double> all_;    // of every slice
};

}  // namespace

int main(int argc, char** argv) {
  in_addr destination{};
  if (argc < 6 || inet_pton(AF_INET, argv[1], &destination) != 1) {
    std::fputs("usage: latency DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...\n", stderr);
    return 2;
  }
  std::vector<Host> hosts;
  for (int at = 5; at < argc; ++at) {
    hosts.emplace_back(argv[at], bench::endpoint(destination, argv[2]));
    if (!hosts.back().valid() || !hosts.back().learn()) return failed(argv[at]);
  }
  const std::chrono::milliseconds time(std::atoi(argv[3]));
  std::vector<Percentiles> found(hosts.size());
  const auto slice = [&](std::size_t host) {
    const auto measured = hosts[host].slice(time);
    if (measured) found[host] = *measured;
    return measured.has_value();
  };
  const auto tell = [&] {
    for (const Percentiles& one : found) std::printf("%.1f %.1f ", one.half, one.most);
    std::printf("\n");
  };
  const auto rounds = static_cast<unsigned>(std::atoi(argv[4]));
  const int status = bench::take_turns(hosts.size(), rounds, slice, tell);
  if (status == 0) {
    std::ranges::transform(hosts, found.begin(), &Host::all);
    tell();
  }
  return status;
}
