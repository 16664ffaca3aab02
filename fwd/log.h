// The daemon's own log: to stderr, and from there to the journal where systemd started us. log::info() and its
// siblings are the way in; only log.cc sees spdlog, whose headers take longer to compile than most of our files.
#pragma once

#include <cstdint>
#include <utility>

#include <fmt/core.h>

namespace fwd {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error, Critical };

// What is below this level isn't written.
void set_up_log(LogLevel level);

namespace log {

void write(LogLevel level, fmt::string_view format, fmt::format_args arguments);

template <typename... Arguments>
void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(LogLevel::Debug, format, fmt::make_format_args(arguments...));
}

template <typename... Arguments>
void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(LogLevel::Info, format, fmt::make_format_args(arguments...));
}

template <typename... Arguments>
void warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(LogLevel::Warning, format, fmt::make_format_args(arguments...));
}

template <typename... Arguments>
void error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(LogLevel::Error, format, fmt::make_format_args(arguments...));
}

template <typename... Arguments>
void critical(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(LogLevel::Critical, format, fmt::make_format_args(arguments...));
}

}  // namespace log
}  // namespace fwd
