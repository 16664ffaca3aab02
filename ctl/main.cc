#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "ctl/client.h"
#include "ctl/fwctl.h"
#include "ctl/offline.h"

namespace {

bool write_all(std::FILE* stream, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
         std::fflush(stream) == 0;
}

std::string default_socket() {
  const char* chosen = std::getenv("FWCTL_SOCKET");
  return chosen != nullptr && *chosen != '\0' ? chosen : ctl::kDefaultSocket;
}

// Empty where it is no number: it becomes part of a header.
std::string sudo_uid() {
  const char* const text = std::getenv("SUDO_UID");
  const std::string uid = text == nullptr ? "" : text;
  return uid.find_first_not_of("0123456789") == std::string::npos ? uid : "";
}

ctl::Exchange connect(const std::string& socket) {
  return [client = ctl::Client(socket, sudo_uid())](const ctl::Request& request) {
    return client.exchange(request);
  };
}

// Unbuffered: who watches wants to see it now.
bool print(std::string_view text) {
  return write_all(stdout, std::string(text));
}

}  // namespace

int main(int argc, char** argv) {
  const ctl::Parts parts{ctl::look_of(STDOUT_FILENO), connect, ctl::disable_without_daemon, print};
  const ctl::Output output = ctl::run({argv + 1, argv + argc}, default_socket(), parts);
  const bool written = write_all(stdout, output.text);
  if (!written) std::perror("fwctl: can't write its output");
  write_all(stderr, output.notes);
  return written ? output.status : static_cast<int>(ctl::api::ExitStatus::Refused);
}
