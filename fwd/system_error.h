// What the operating system refused: what we tried, in words for a person, and its errno.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace fwd {

struct SystemError {
  std::string what;  // "bind queue 0"
  int code = 0;      // errno value, never negative; 0 where the system itself reported nothing

  std::string message() const {
    return code == 0 ? what : what + ": " + std::generic_category().message(code);
  }
};

inline std::unexpected<SystemError> failed(std::string what, int code = errno) {
  return std::unexpected(SystemError{std::move(what), code});
}

template <typename T>
using Result = std::expected<T, SystemError>;

}  // namespace fwd
