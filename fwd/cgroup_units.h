// The systemd units that cgroups belong to.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fwd {

// Where the cgroup2 hierarchy is mounted, by /proc/self/mountinfo's text; empty where it isn't.
std::string cgroup2_mount(std::string_view mountinfo);

// The system's unit that a cgroup's path is below: "nginx.service" of "/system.slice/nginx.service/worker",
// "user@1000.service", "session-3.scope". Empty where there is none.
std::string_view unit_of_path(std::string_view path);

// Of one thread.
class CgroupUnits {
 public:
  using Clock = std::chrono::steady_clock;

  // `root`: the hierarchy's mount point; empty: all units are unknown.
  explicit CgroupUnits(std::string root, std::function<Clock::time_point()> now = Clock::now);

  // Empty: unknown. A cgroup's id is its directory's inode number, and never given again. Valid until
  // the next call.
  std::string_view unit_of(std::uint64_t cgroup);

 private:
  void walk();

  const std::string root_;
  const std::function<Clock::time_point()> now_;
  std::unordered_map<std::uint64_t, std::string> units_;
  Clock::time_point next_walk_;
};

}  // namespace fwd
