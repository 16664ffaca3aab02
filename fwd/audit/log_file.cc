#include "fwd/audit/log_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::audit {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;
constexpr std::size_t kTailBytes = 64 * 1024;  // more than any line of ours

Result<void> make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return {};
  if (auto made = make_folders(folder.parent_path()); !made) return made;
  if (mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return failed("make the folder " + folder.string());
  }
  return {};
}

// O_RDWR: the tail is read, and opening a pipe for writing alone would wait for its reader.
int open_or_create(const std::string& path) {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY;
  const int created = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kFileMode);
  if (created < 0) return errno == EEXIST ? ::open(path.c_str(), kFlags) : -1;
  // Whatever the umask is; the mode of a file that was there is the administrator's.
  if (fchmod(created, kFileMode) == 0) return created;
  const int error = errno;
  close(created);
  errno = error;
  return -1;
}

Result<std::string> read_tail(int fd, std::size_t size) {
  std::string tail(std::min(size, kTailBytes), '\0');
  std::size_t done = 0;
  while (done < tail.size()) {
    const auto offset = static_cast<off_t>(size - tail.size() + done);
    const ssize_t count = pread(fd, tail.data() + done, tail.size() - done, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read the audit file's end");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  tail.resize(done);
  return tail;
}

// Quotes inside strings are escaped, so the key is found only where it is one.
std::uint64_t last_sequence(std::string_view lines) {
  constexpr std::string_view kKey = "\"sequence\":";
  const auto key = lines.rfind(kKey);
  if (key == std::string_view::npos) return 0;
  std::uint64_t sequence = 0;
  const char* digits = lines.data() + key + kKey.size();
  std::from_chars(digits, lines.data() + lines.size(), sequence);
  return sequence;
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path) {
  if (auto made = make_folders(std::filesystem::path(path).parent_path()); !made) {
    return std::unexpected(made.error());
  }
  LogFile file(path, open_or_create(path));
  if (file.fd_ < 0) return failed("open the audit file " + path);
  struct stat status {};
  if (fstat(file.fd_, &status) != 0) return failed("look at the audit file " + path);
  if (!S_ISREG(status.st_mode)) return failed(path + " is not a regular file", 0);
  file.identity_ = {status.st_dev, status.st_ino};
  return file;
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      identity_(other.identity_),
      excess_(other.excess_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(identity_, other.identity_);
  std::swap(excess_, other.excess_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0) close(fd_);
}

Result<LogTail> LogFile::recover() {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return failed("look at the audit file " + path_);
  auto tail = read_tail(fd_, static_cast<std::size_t>(status.st_size));
  if (!tail) return std::unexpected(tail.error());
  const std::string_view text = *tail;
  const std::string_view torn = text.substr(text.rfind('\n') + 1);
  if (!torn.empty() && (torn.size() == kTailBytes || torn.front() != '{')) {
    return failed(path_ + " is not an audit file: its last line is no record", 0);
  }
  LogTail found{last_sequence(text.substr(0, text.size() - torn.size())), torn.size(),
                status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  excess_ = torn.size();
  if (!cut_excess()) return failed("cut off the torn last line of " + path_);
  return found;
}

Appended LogFile::append(std::string_view lines) {
  if (!cut_excess()) return {0, errno};
  std::size_t done = 0;
  int error = 0;
  while (done < lines.size() && error == 0) {
    const ssize_t count = write(fd_, lines.data() + done, lines.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      error = count == 0 ? EIO : errno;
    }
  }
  if (error == 0) return {done, 0};
  const std::size_t kept = lines.substr(0, done).rfind('\n') + 1;
  excess_ = done - kept;
  cut_excess();  // where that fails too, the next append() tries again before it writes
  return {kept, error};
}

bool LogFile::cut_excess() {
  if (excess_ == 0) return true;
  struct stat status {};
  if (fstat(fd_, &status) != 0) return false;
  // Somebody who has emptied the file meanwhile has taken the half line with the rest.
  const auto excess = static_cast<off_t>(excess_);
  if (status.st_size >= excess && ftruncate(fd_, status.st_size - excess) != 0) return false;
  excess_ = 0;
  return true;
}

}  // namespace fwd::audit
