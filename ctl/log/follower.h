// Follows the audit log as it grows, through rotations and the daemon's restarts: Follower::open(),
// then next() and wait() in turn.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ctl/api/error.h"
#include "ctl/log/reader.h"
#include "ctl/time_text.h"

namespace ctl::log {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

class Follower {
 public:
  // From now on; or with `since` from the oldest file that was written to after that time: the
  // caller passes over what is older in it.
  static std::expected<Follower, api::Error> open(std::string path,
                                                  std::optional<Time> since = std::nullopt);

  // The next line with its end, each once and in the order of their sequences; nothing while there is none. Points into
  // the follower, until the next call. A line that isn't complete is waited for: a daemon that was killed while it
  // wrote leaves one, which its successor takes away.
  std::expected<std::optional<std::string_view>, api::Error> next();

  // Until the log may have grown, or for so long.
  void wait(std::chrono::milliseconds most);

  // Readable when the log may have grown; next() makes it unreadable.
  int fd() const { return notices_.get(); }

 private:
  explicit Follower(std::string path) : path_(std::move(path)) {}

  std::expected<void, api::Error> watch();
  std::expected<void, api::Error> start(std::optional<Time> since);
  std::expected<std::optional<std::string_view>, api::Error> next_rotated();
  std::optional<std::string_view> next_live();
  bool fill();
  bool successor_has_lines() const;
  std::expected<void, api::Error> move_on();
  std::expected<void, api::Error> list_rotated();
  bool is_new(std::string_view line);
  void clear_notices() const;

  std::string path_;
  Descriptor notices_;               // inotify
  Descriptor live_;                  // what was at `path_` when it was opened
  std::uint64_t at_ = 0;             // of the live file, what has been given out
  std::string buffer_;               // what follows in it, with whole lines or not
  std::size_t used_ = 0;             // of the buffer
  bool final_ = false;               // nobody writes to the live file any more
  std::deque<std::string> rotated_;  // files to read before the live one
  std::optional<Reader> reader_;     // of the first of them
  std::uint64_t last_ = 0;           // the sequence of the last line given out
  std::string last_time_;            // and its time
};

}  // namespace ctl::log
