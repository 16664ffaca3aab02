// The open connections of a server, with what each user may hold and for how long. The HTTP library
// knows neither users nor the time of a whole request: a client that sends a byte now and then is
// never idle to it.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>

#include "fwd/control/peer.h"

namespace fwd::control {

struct Limits {
  unsigned connections = 64;
  unsigned connections_per_user = 16;
  std::size_t body_bytes = 16 << 20;
  std::size_t header_bytes = 8 << 10;
  std::chrono::seconds idle{5};
  std::chrono::seconds request{10};  // to send a whole request, and to take a whole answer
};

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;  // the HTTP library's
  Peer peer;
  Clock::time_point deadline;
};

class Connections {
 public:
  explicit Connections(const Limits& limits, PeerOf peer_of = control::peer_of)
      : limits_(limits), peer_of_(peer_of) {}

  // Null when there are too many, or the peer can't be told: it has been answered and shut down
  // then. Root always gets in, so that nobody can keep root out.
  Connection* opened(int fd);
  void closed(Connection* connection);

  void begin_request(Connection& connection);  // the time for a request starts anew

  // Around a handler, of which one runs at a time: what it takes is nobody's fault.
  void begin_work();
  void end_work(Connection& connection);  // the time for its answer starts

  // Shuts down what has passed its deadline; the library then closes it.
  void sweep(Clock::time_point now);

 private:
  bool room_for(const Peer& peer) const;

  Limits limits_;
  PeerOf peer_of_;
  std::mutex mutex_;
  std::list<Connection> open_;
  std::optional<Clock::time_point> work_began_;
};

}  // namespace fwd::control
