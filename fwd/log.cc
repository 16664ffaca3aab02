#include "fwd/log.h"

#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd {
namespace {

// The level as the journal reads it off a line's beginning: sd-daemon(3).
class JournalLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    fmt::format_to(std::back_inserter(out), "<{}>", number(message.level));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalLevel>();
  }

 private:
  static int number(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::critical:
        return 2;
      case spdlog::level::err:
        return 3;
      case spdlog::level::warn:
        return 4;
      case spdlog::level::info:
        return 6;
      default:
        return 7;
    }
  }
};

// systemd names the stream it gave us; after a redirection stderr is another one.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
    case LogLevel::Critical:
      return spdlog::level::critical;
  }
  __builtin_unreachable();
}

}  // namespace

void set_up_log(LogLevel level) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (stderr_is_the_journal()) {
    formatter->add_flag<JournalLevel>('*').set_pattern("%*%v");
  } else {
    formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e fwd: %l: %v");
  }
  auto logger =
      std::make_shared<spdlog::logger>("fwd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(to_spdlog(level));
  spdlog::set_default_logger(std::move(logger));
}

void log::write(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  const auto as = to_spdlog(level);
  if (!spdlog::should_log(as)) return;
  fmt::memory_buffer text;
  fmt::vformat_to(std::back_inserter(text), format, arguments);
  spdlog::log(as, spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace fwd
