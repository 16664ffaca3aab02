// Bulk throughput of one connection to each of several hosts, in short slices by turns.
//     bulk receive PORT
//     bulk send DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...
// `receive` reads and throws away until it is ended. `send` connects from each network namespace (as `ip netns` names it), writes to
// each connection for so many milliseconds in each round, in an order that changes, and waits until all of it is acknowledged. It
// prints a line for each round: the gigabits a second from each namespace.
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/turns.h"

namespace {

using Clock = std::chrono::steady_clock;
using bench::connect_from;
using bench::endpoint;
using bench::failed;
using bench::kPatience;
using fwd::UniqueFd;

constexpr std::size_t kBlock = 128 * 1024;  // as iperf3's

int receive(const char* port) {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in here = endpoint({INADDR_ANY}, port);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      listen(listener.get(), 1) != 0) {
    return failed("listen");
  }
  std::vector<char> block(kBlock);
  for (;;) {
    const UniqueFd connection(accept(listener.get(), nullptr, nullptr));
    if (!connection.valid()) return failed("accept");
    while (read(connection.get(), block.data(), block.size()) > 0) {
    }
  }
}

// Whether all that was sent is, before the time is over.
bool is_acknowledged(int connection, Clock::time_point last) {
  int waiting = 0;
  do {
    if (ioctl(connection, SIOCOUTQ, &waiting) != 0) return false;
    if (waiting == 0) return true;
  } while (Clock::now() < last);
  errno = ETIMEDOUT;
  return false;
}

// Gigabits a second; 0 if nothing is acknowledged any more.
double slice(int connection, std::chrono::milliseconds time) {
  static const std::vector<char> block(kBlock);
  std::uint64_t bytes = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < time) {
    const ssize_t sent = send(connection, block.data(), block.size(), MSG_NOSIGNAL);
    if (sent < 0) return 0;
    bytes += static_cast<std::uint64_t>(sent);
  }
  if (!is_acknowledged(connection, Clock::now() + kPatience)) return 0;
  const std::chrono::duration<double, std::nano> took = Clock::now() - start;
  return static_cast<double>(bytes * 8) / took.count();
}

int send_by_turns(const std::vector<UniqueFd>& connections, std::chrono::milliseconds time,
                  unsigned rounds) {
  std::vector<double> rates(connections.size());
  const auto send_slice = [&](std::size_t host) {
    rates[host] = slice(connections[host].get(), time);
    return rates[host] != 0;
  };
  return bench::take_turns(connections.size(), rounds, send_slice, [&] {
    for (const double rate : rates) std::printf("%.4f ", rate);
    std::printf("\n");
  });
}

int usage() {
  std::fputs(
      "usage: bulk receive PORT\n"
      "       bulk send DESTINATION PORT MILLISECONDS ROUNDS NAMESPACE...\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "receive") return receive(argv[2]);
  in_addr destination{};
  if (argc < 7 || std::string_view(argv[1]) != "send" ||
      inet_pton(AF_INET, argv[2], &destination) != 1) {
    return usage();
  }
  std::vector<UniqueFd> connections;
  for (int at = 6; at < argc; ++at) {
    connections.push_back(connect_from(argv[at], endpoint(destination, argv[3])));
    if (!connections.back().valid()) return failed(argv[at]);
  }
  return send_by_turns(connections, std::chrono::milliseconds(std::atoi(argv[4])),
                       static_cast<unsigned>(std::atoi(argv[5])));
}
