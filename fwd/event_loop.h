// What the main thread waits for: file descriptors, timers and signals, each with its handler. One
// thread.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <list>

#include "fwd/system_error.h"
#include "fwd/unique_fd.h"

namespace fwd {

// These signals come through an event loop from here on, in this thread and those that it starts.
void block_signals(std::initializer_list<int> signals);

class EventLoop {
 public:
  using Handler = std::function<void()>;
  using SignalHandler = std::function<void(int signal)>;

  static Result<EventLoop> make();

  // Calls `handler` as long as `fd`, which stays the caller's, is readable.
  Result<void> watch(int fd, Handler handler);
  // Blocked signals only.
  Result<void> on_signals(std::initializer_list<int> signals, SignalHandler handler);
  // A call that comes late replaces those that it missed.
  Result<void> every(std::chrono::milliseconds interval, Handler handler);

  // Until a handler calls stop().
  Result<void> run();
  void stop() { running_ = false; }

 private:
  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  UniqueFd epoll_;
  std::list<UniqueFd> own_;      // timers and signals
  std::list<Handler> handlers_;  // epoll points to them
  bool running_ = true;
};

}  // namespace fwd
