// HTTP/1.1 on a listening socket, by libmicrohttpd, in one thread of its own.
#pragma once

#include <memory>

#include "fwd/control/connections.h"
#include "fwd/control/router.h"
#include "fwd/system_error.h"
#include "fwd/unique_fd.h"

struct MHD_Daemon;

namespace fwd::control {

class Server {
 public:
  static Result<std::unique_ptr<Server>> start(UniqueFd listener, Router router,
                                               const Limits& limits = {},
                                               PeerOf peer_of = control::peer_of);

  ~Server();  // waits for the handler that runs
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // To be called every second or so: ends requests that take too long.
  void sweep() { connections_.sweep(Clock::now()); }

 private:
  struct Callbacks;

  Server(Router router, const Limits& limits, PeerOf peer_of)
      : router_(std::move(router)), limits_(limits), connections_(limits, peer_of) {}

  Router router_;
  Limits limits_;
  Connections connections_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace fwd::control
