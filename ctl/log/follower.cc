#include "ctl/log/follower.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/api/audit_chain.h"
#include "ctl/log/files.h"

namespace ctl::log {
namespace {

// Its text, for comparison: RFC 3339 in UTC with a fixed number of digits.
std::string_view time_of(std::string_view line) {
  constexpr std::string_view kKey = R"({"@timestamp":")";
  constexpr std::size_t kLength = 27;
  return line.starts_with(kKey) ? line.substr(kKey.size(), kLength) : std::string_view();
}

// After the last line end of the file.
std::uint64_t end_of_lines(int fd, std::uint64_t size, std::string& last_line) {
  const std::uint64_t from = size > kLongestLine ? size - kLongestLine : 0;
  std::string tail(size - from, '\0');
  const ssize_t got = ::pread(fd, tail.data(), tail.size(), static_cast<off_t>(from));
  tail.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const auto end = tail.rfind('\n');
  if (end == std::string::npos) return from;
  const auto before = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  last_line = tail.substr(begin, end + 1 - begin);
  return from + end + 1;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::expected<Follower, api::Error> Follower::open(std::string path, std::optional<Time> since) {
  Follower follower(std::move(path));
  if (auto watching = follower.watch(); !watching)
    return std::unexpected(std::move(watching.error()));
  if (auto started = follower.start(since); !started)
    return std::unexpected(std::move(started.error()));
  return follower;
}

// The folder: that shows writes, renames and new files at once.
std::expected<void, api::Error> Follower::watch() {
  const std::filesystem::path file(path_);
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  notices_ = Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (notices_.get() < 0 ||
      ::inotify_add_watch(notices_.get(), folder.c_str(),
                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE) < 0)
    return std::unexpected(unreadable(folder, errno));
  return {};
}

std::expected<void, api::Error> Follower::start(std::optional<Time> since) {
  live_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (live_.get() < 0) return std::unexpected(unreadable(path_, errno));
  if (since) {
    auto files = rotated_files(path_, since);
    if (!files) return std::unexpected(std::move(files.error()));
    for (RotatedFile& file : *files) rotated_.push_back(std::move(file.path));
    return {};
  }
  struct stat status {};
  if (::fstat(live_.get(), &status) != 0) return std::unexpected(unreadable(path_, errno));
  std::string line;
  at_ = end_of_lines(live_.get(), static_cast<std::uint64_t>(status.st_size), line);
  is_new(line);
  return {};
}

std::expected<std::optional<std::string_view>, api::Error> Follower::next() {
  clear_notices();
  while (true) {
    auto line = next_rotated();
    if (!line) return line;
    if (!*line) *line = next_live();
    if (*line) {
      if (!is_new(**line)) continue;
      return line;
    }
    if (final_) {
      if (auto moved = move_on(); !moved) return std::unexpected(std::move(moved.error()));
    } else if (successor_has_lines()) {
      final_ = true;  // once more: it was written to until there was a new one
    } else {
      return std::nullopt;
    }
  }
}

std::expected<std::optional<std::string_view>, api::Error> Follower::next_rotated() {
  while (!rotated_.empty()) {
    if (!reader_) {
      auto opened = Reader::open(rotated_.front());
      if (!opened && opened.error().code != api::ErrorCode::NotFound)
        return std::unexpected(std::move(opened.error()));
      if (!opened) {  // it has got another name
        if (auto listed = list_rotated(); !listed)
          return std::unexpected(std::move(listed.error()));
        continue;
      }
      reader_ = *std::move(opened);
    }
    const auto line = reader_->next();
    if (!line) return std::unexpected(line.error());
    if (!line->empty()) return *line;
    reader_.reset();
    rotated_.pop_front();
  }
  return std::nullopt;
}

std::optional<std::string_view> Follower::next_live() {
  while (true) {
    const std::string_view rest = std::string_view(buffer_).substr(used_);
    const auto end = rest.find('\n');
    if (end != std::string_view::npos || rest.size() >= kLongestLine) {
      const std::size_t length = end != std::string_view::npos ? end + 1 : rest.size();
      used_ += length;
      at_ += length;
      return rest.substr(0, length);
    }
    if (!fill()) return std::nullopt;
  }
}

// False where the file has no more than the buffer. An incomplete line is read anew each time: it may have been cut off
// and replaced by another.
bool Follower::fill() {
  struct stat status {};
  const std::size_t had = buffer_.size() - used_;
  if (::fstat(live_.get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) < at_)
    at_ = 0;
  buffer_.resize(had + kChunk);
  used_ = 0;
  const ssize_t got = ::pread(live_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(at_));
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (buffer_.size() > had) return true;
  buffer_.clear();
  return false;
}

// Another file stands in the live one's place, and the daemon has gone on there.
bool Follower::successor_has_lines() const {
  struct stat there {};
  struct stat live {};
  return ::stat(path_.c_str(), &there) == 0 && ::fstat(live_.get(), &live) == 0 &&
         (there.st_dev != live.st_dev || there.st_ino != live.st_ino) && there.st_size > 0;
}

// To the new file.
std::expected<void, api::Error> Follower::move_on() {
  final_ = false;
  Descriptor next(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (next.get() < 0 && errno == ENOENT) return {};
  if (next.get() < 0) return std::unexpected(unreadable(path_, errno));
  live_ = std::move(next);
  at_ = used_ = 0;
  buffer_.clear();
  return list_rotated();
}

// Those with lines to come: there may have been more than one rotation meanwhile.
std::expected<void, api::Error> Follower::list_rotated() {
  auto files = rotated_files(path_, std::nullopt);
  if (!files) return std::unexpected(std::move(files.error()));
  rotated_.clear();
  for (RotatedFile& file : *files) {
    if (file.first > last_) rotated_.push_back(std::move(file.path));
  }
  return {};
}

// Files that are read while they are compressed or copied have lines that were there before. A log that begins anew with
// sequence 1 has none of them.
bool Follower::is_new(std::string_view line) {
  const std::uint64_t sequence = api::facts_of(line).sequence;
  if (sequence == 0) return true;
  const bool anew = sequence == 1 && time_of(line) > last_time_;
  if (sequence <= last_ && !anew) return false;
  last_ = sequence;
  last_time_ = time_of(line);
  return true;
}

void Follower::wait(std::chrono::milliseconds most) {
  pollfd entry{notices_.get(), POLLIN, 0};
  ::poll(&entry, 1, static_cast<int>(most.count()));
}

void Follower::clear_notices() const {
  std::array<char, 4096> events;
  while (::read(notices_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace ctl::log
