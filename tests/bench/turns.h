// What the tools share that measure several hosts in short slices by turns: what disturbs the machine disturbs all of them, where a
// second of one and then a second of the other tell more of the machine than of the hosts.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "fwd/unique_fd.h"

namespace bench {

inline constexpr std::chrono::seconds kPatience{5};

inline int failed(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  return 1;
}

inline sockaddr_in endpoint(in_addr address, const char* port) {
  return {.sin_family = AF_INET,
          .sin_port = htons(static_cast<std::uint16_t>(std::atoi(port))),
          .sin_addr = address,
          .sin_zero = {}};
}

// Takes the calling thread to the network namespace of that name, as `ip netns` names it. False where it fails, as errno says.
inline bool enter(const std::string& name) {
  const fwd::UniqueFd network(open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  return network.valid() && setns(network.get(), CLONE_NEWNET) == 0;
}

// Over TCP, from that network namespace, where the thread stays. Invalid where it fails, as errno says.
inline fwd::UniqueFd connect_from(const std::string& name, const sockaddr_in& there) {
  if (!enter(name)) return {};
  fwd::UniqueFd connection(socket(AF_INET, SOCK_STREAM, 0));
  constexpr timeval kMost{kPatience.count(), 0};
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
    if (setsockopt(connection.get(), SOL_SOCKET, option, &kMost, sizeof kMost) != 0) return {};
  const auto* address = reinterpret_cast<const sockaddr*>(&there);
  if (connect(connection.get(), address, sizeof there) != 0) return {};
  return connection;
}

// Calls slice(host) for each host in each round, in an order that changes, until one returns false; tell() behind each round but
// the first ones, in which congestion windows open. The program's exit status.
template <typename Slice, typename Tell>
int take_turns(std::size_t hosts, unsigned rounds, Slice slice, Tell tell) {
  constexpr unsigned kWarmUp = 3;
  std::mt19937 random(std::random_device{}());
  std::vector<std::size_t> order(hosts);
  std::iota(order.begin(), order.end(), 0);
  for (unsigned round = 0; round < kWarmUp + rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (const std::size_t host : order)
      if (!slice(host)) return failed("slice");
    if (round >= kWarmUp) tell();
  }
  return 0;
}

}  // namespace bench
