#include "tests/support/netns.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {
namespace {

void raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int done = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  if (done < 0) throw std::runtime_error("can't raise loopback in the test's namespace");
}

}  // namespace

bool in_new_netns(const std::function<void()>& body) {
  bool made = false;
  std::exception_ptr thrown;
  std::thread([&] {
    made = unshare(CLONE_NEWNET) == 0;
    if (!made) return;
    try {
      raise_loopback();
      body();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (!made) std::puts("skipped: needs root to make a network namespace");
  if (thrown) std::rethrow_exception(thrown);
  return made;
}

}  // namespace support
