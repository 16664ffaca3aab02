#include "fwd/cgroup_units.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <sstream>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "fwd/owned.h"

namespace fwd {
namespace {

constexpr std::size_t kMostCgroups = 16384;
constexpr int kDeepest = 32;
// A walk takes some ten microseconds a cgroup. So small a part of the time may go into walks.
constexpr int kShare = 20;

constexpr std::array<std::string_view, 5> kUnitTypes = {".service", ".scope", ".socket", ".mount",
                                                        ".swap"};

using Found = std::unordered_map<std::uint64_t, std::string>;

// `fd` is taken over.
void walk_below(int fd, const std::string& path, int depth, Found& found) {
  const Owned<DIR, closedir> directory(fdopendir(fd));
  if (directory == nullptr) {
    close(fd);
    return;
  }
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    if (found.size() >= kMostCgroups) return;
    const std::string inner = path + "/" + entry->d_name;
    found.try_emplace(entry->d_ino, unit_of_path(inner));
    if (depth == kDeepest) continue;
    // Gone meanwhile: nobody can ask for it who hasn't a socket left, and then it is unknown.
    const int next = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (next >= 0) walk_below(next, inner, depth + 1, found);
  }
}

}  // namespace

std::string cgroup2_mount(std::string_view mountinfo) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    // "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw" (proc_pid_mountinfo(5))
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string word;
    for (int field = 0; field < 5; ++field) words >> word;
    return word;
  }
  return {};
}

std::string_view unit_of_path(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (name.ends_with(".slice")) continue;
    // systemd puts it before a name that the kernel could take for a file of its own.
    if (name.starts_with('_')) name.remove_prefix(1);
    const bool unit = std::ranges::any_of(
        kUnitTypes, [&](std::string_view type) { return name.ends_with(type); });
    return unit ? name : std::string_view{};
  }
  return {};
}

CgroupUnits::CgroupUnits(std::string root, std::function<Clock::time_point()> now)
    : root_(std::move(root)), now_(std::move(now)), next_walk_(Clock::time_point::min()) {}

std::string_view CgroupUnits::unit_of(std::uint64_t cgroup) {
  if (root_.empty()) return {};
  if (const auto known = units_.find(cgroup); known != units_.end()) return known->second;
  if (now_() < next_walk_) return {};
  walk();
  // Which isn't there now has gone for good.
  return units_.try_emplace(cgroup).first->second;
}

void CgroupUnits::walk() {
  const auto begin = now_();
  Found found;
  const int fd = open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) walk_below(fd, "", 0, found);
  if (found.size() + units_.size() <= kMostCgroups) found.merge(units_);  // sockets outlive cgroups
  units_ = std::move(found);
  const auto end = now_();
  next_walk_ = end + (end - begin) * kShare;
}

}  // namespace fwd
