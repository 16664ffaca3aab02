#include "ctl/session.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <fmt/core.h>
#include <unistd.h>

namespace ctl {
namespace {

constexpr std::string_view kVariable = "SSH_CONNECTION=";

std::string end_text(const std::string& address, const std::string& port) {
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

// Empty where the process is gone or somebody else's.
std::string read_of(pid_t pid, std::string_view file) {
  std::ifstream stream(fmt::format("/proc/{}/{}", pid, file), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::optional<std::string> connection_of(pid_t pid) {
  std::istringstream environment(read_of(pid, "environ"));
  for (std::string entry; std::getline(environment, entry, '\0');) {
    if (entry.starts_with(kVariable)) return entry.substr(kVariable.size());
  }
  return std::nullopt;
}

// 0 where there is none. The command in parentheses may contain anything (proc(5), /proc/pid/stat).
pid_t parent_of(pid_t pid) {
  const std::string stat = read_of(pid, "stat");
  const auto end_of_command = stat.rfind(')');
  if (end_of_command == std::string::npos) return 0;
  std::istringstream fields(stat.substr(end_of_command + 1));
  char state = 0;
  pid_t parent = 0;
  fields >> state >> parent;
  return fields ? parent : 0;
}

}  // namespace

Session parse_ssh_connection(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string client;
  std::string client_port;
  std::string server;
  std::string server_port;
  if (!(words >> client >> client_port >> server >> server_port)) return {};
  return {end_text(client, client_port), end_text(server, server_port)};
}

Session own_session() {
  for (pid_t pid = getpid(); pid > 1; pid = parent_of(pid)) {
    if (const auto connection = connection_of(pid)) return parse_ssh_connection(*connection);
  }
  return {};
}

}  // namespace ctl
