#include "ctl/offline.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ctl {
namespace {

constexpr const char* kInstalled = "/usr/sbin/fwd";

// The one that was built or installed with this fwctl, else the package's.
std::string daemon_program() {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::string sibling = self.parent_path() / "fwd";
  return ::access(sibling.c_str(), X_OK) == 0 ? sibling : kInstalled;
}

api::Error failed(const std::string& program, int code) {
  return {api::ErrorCode::Internal,
          fmt::format("can't run {} --disable: {}", program, std::generic_category().message(code)),
          {}};
}

class Pipe {
 public:
  Pipe() : made_(::pipe2(ends_.data(), O_CLOEXEC) == 0) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_writer();
    if (made_) ::close(ends_[0]);
  }

  bool made() const { return made_; }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool made_;
};

std::expected<pid_t, int> spawn(const std::string& program, int output) {
  std::string name = "fwd";
  std::string option = "--disable";
  const std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
  posix_spawn_file_actions_t actions;
  if (const int error = ::posix_spawn_file_actions_init(&actions); error != 0)
    return std::unexpected(error);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::unexpected(error);
  return child;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) != 0;) {
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) break;
  }
  return text;
}

}  // namespace

std::expected<Ended, api::Error> disable_without_daemon() {
  if (::geteuid() != 0) {
    return std::unexpected(api::Error{
        api::ErrorCode::NotPermitted, "only root can disable the firewall without the daemon", {}});
  }
  const std::string program = daemon_program();
  Pipe pipe;
  if (!pipe.made()) return std::unexpected(failed(program, errno));
  const auto child = spawn(program, pipe.writer());
  if (!child) return std::unexpected(failed(program, child.error()));
  pipe.close_writer();
  Ended ended{0, read_all(pipe.reader())};
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0) {
    if (errno != EINTR) return std::unexpected(failed(program, errno));
  }
  ended.status =
      WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(api::ExitStatus::Refused);
  return ended;
}

}  // namespace ctl
