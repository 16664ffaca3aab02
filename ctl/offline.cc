#include "ctl/offline.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>
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

std::expected<pid_t, int> spawn(const std::string& program) {
  std::string name = "fwd";
  std::string option = "--disable";
  const std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
  posix_spawn_file_actions_t actions;
  if (const int error = ::posix_spawn_file_actions_init(&actions); error != 0)
    return std::unexpected(error);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::unexpected(error);
  return child;
}

}  // namespace

std::expected<int, api::Error> disable_without_daemon() {
  if (::geteuid() != 0) {
    return std::unexpected(api::Error{
        api::ErrorCode::NotPermitted, "only root can disable the firewall without the daemon", {}});
  }
  const std::string program = daemon_program();
  const auto child = spawn(program);
  if (!child) return std::unexpected(failed(program, child.error()));
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0) {
    if (errno != EINTR) return std::unexpected(failed(program, errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(api::ExitStatus::Refused);
}

}  // namespace ctl
