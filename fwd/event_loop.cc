#include "fwd/event_loop.h"

#include <array>
#include <csignal>
#include <cstdint>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

namespace fwd {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<EventLoop> EventLoop::make() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return failed("make an epoll instance");
  return EventLoop(std::move(epoll));
}

Result<void> EventLoop::watch(int fd, Handler handler) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &handlers_.emplace_back(std::move(handler));
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return failed("watch a file descriptor");
  return {};
}

Result<void> EventLoop::on_signals(std::initializer_list<int> signals, SignalHandler handler) {
  const sigset_t set = set_of(signals);
  const int fd = own_.emplace_back(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)).get();
  if (fd < 0) return failed("make a signalfd");
  return watch(fd, [fd, handler = std::move(handler)] {
    signalfd_siginfo info{};
    if (read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
      handler(static_cast<int>(info.ssi_signo));
  });
}

Result<void> EventLoop::every(std::chrono::milliseconds interval, Handler handler) {
  const int fd =
      own_.emplace_back(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)).get();
  if (fd < 0) return failed("make a timer");
  itimerspec timer{};
  timer.it_interval.tv_sec = interval.count() / 1000;
  timer.it_interval.tv_nsec = interval.count() % 1000 * 1'000'000;
  timer.it_value = timer.it_interval;
  if (timerfd_settime(fd, 0, &timer, nullptr) != 0) return failed("set a timer");
  return watch(fd, [fd, handler = std::move(handler)] {
    std::uint64_t ticks = 0;
    if (read(fd, &ticks, sizeof ticks) == static_cast<ssize_t>(sizeof ticks)) handler();
  });
}

Result<void> EventLoop::run() {
  std::array<epoll_event, 16> events;
  while (running_) {
    const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return failed("wait for events");
    for (int i = 0; i < ready && running_; ++i) {
      (*static_cast<Handler*>(events[static_cast<std::size_t>(i)].data.ptr))();
    }
  }
  return {};
}

}  // namespace fwd
