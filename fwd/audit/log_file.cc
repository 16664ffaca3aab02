#include "fwd/audit/log_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>

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
int open_or_create(const std::string& path, bool& made) {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY;
  const int created = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kFileMode);
  if (created < 0) return errno == EEXIST ? ::open(path.c_str(), kFlags) : -1;
  // Whatever the umask is; the mode of a file that was there is the administrator's.
  made = true;
  if (fchmod(created, kFileMode) == 0) return created;
  const int error = errno;
  close(created);
  errno = error;
  return -1;
}

Result<std::string> read_tail(int fd, std::size_t size, std::size_t most) {
  std::string tail(std::min(size, most), '\0');
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

// Takes the last line, without its line end.
std::string_view take_last_line(std::string_view& lines) {
  lines.remove_suffix(1);
  const auto begin = lines.rfind('\n') + 1;
  const auto line = lines.substr(begin);
  lines = lines.substr(0, begin);
  return line;
}

// The last line that has a sequence.
ctl::api::ChainEnd end_of(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = take_last_line(lines);
    const auto facts = ctl::api::facts_of(line);
    if (facts.sequence == 0) continue;
    const auto seal = ctl::api::seal_of(line);
    return {facts.sequence, seal ? seal->hash : ctl::api::kNoHash};
  }
  return {};
}

void add(LinesAfter& sum, std::string_view line, const ctl::api::LineFacts& facts) {
  if (facts.dataset == ctl::api::Dataset::Gap) sum.lost += facts.decisions;
  if (facts.dataset == ctl::api::Dataset::Verdict)
    (facts.folded ? sum.folded : sum.written) += facts.decisions;
  if (sum.end.sequence != 0) return;
  const auto seal = ctl::api::seal_of(line);
  sum.end = {facts.sequence, seal ? seal->hash : ctl::api::kNoHash};
}

// Nothing where the text doesn't reach back far enough.
std::optional<LinesAfter> sum_after(std::string_view lines, std::uint64_t sequence, bool whole) {
  LinesAfter sum;
  while (!lines.empty()) {
    const std::string_view line = take_last_line(lines);
    if (lines.empty() && !whole) return std::nullopt;
    const auto facts = ctl::api::facts_of(line);
    if (facts.sequence <= sequence && facts.sequence != 0) return sum;
    if (facts.sequence != 0) add(sum, line, facts);
  }
  return whole ? std::optional(sum) : std::nullopt;
}

}  // namespace

FileIdentity identity_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

Result<void> make_way(const std::string& path, unsigned keep) {
  const auto numbered = [&](unsigned number) { return path + '.' + std::to_string(number); };
  for (unsigned number = keep; number > 0; --number) {
    const std::string from = number == 1 ? path : numbered(number - 1);
    if (rename(from.c_str(), numbered(number).c_str()) == 0) continue;
    if (errno != ENOENT || number == 1) return failed("rename " + from);
  }
  return {};
}

Result<LogFile> LogFile::open(const std::string& path) {
  if (auto made = make_folders(std::filesystem::path(path).parent_path()); !made) {
    return std::unexpected(made.error());
  }
  bool made = false;
  LogFile file(path, open_or_create(path, made));
  file.made_ = made;
  if (file.fd_ < 0) return failed("open the audit file " + path);
  struct stat status {};
  if (fstat(file.fd_, &status) != 0) return failed("look at the audit file " + path);
  if (!S_ISREG(status.st_mode)) return failed(path + " is not a regular file", 0);
  file.identity_ = {status.st_dev, status.st_ino};
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      identity_(other.identity_),
      made_(other.made_),
      size_(other.size_),
      excess_(other.excess_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(identity_, other.identity_);
  std::swap(made_, other.made_);
  std::swap(size_, other.size_);
  std::swap(excess_, other.excess_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0) close(fd_);
}

Result<LogTail> LogFile::recover() {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return failed("look at the audit file " + path_);
  auto tail = read_tail(fd_, static_cast<std::size_t>(status.st_size), kTailBytes);
  if (!tail) return std::unexpected(tail.error());
  const std::string_view text = *tail;
  const std::string_view torn = text.substr(text.rfind('\n') + 1);
  if (!torn.empty() && (torn.size() == kTailBytes || torn.front() != '{')) {
    return failed(path_ + " is not an audit file: its last line is no record", 0);
  }
  LogTail found{end_of(text.substr(0, text.size() - torn.size())), torn.size(),
                status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  excess_ = torn.size();
  if (!cut_excess()) return failed("cut off the torn last line of " + path_);
  size_ = static_cast<std::uint64_t>(status.st_size) - torn.size();
  return found;
}

Result<ctl::api::ChainEnd> LogFile::end() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return failed("look at the audit file " + path_);
  const auto tail = read_tail(fd_, static_cast<std::size_t>(status.st_size), kTailBytes);
  if (!tail) return std::unexpected(tail.error());
  return end_of(std::string_view(*tail).substr(0, tail->rfind('\n') + 1));
}

Result<LinesAfter> LogFile::lines_after(std::uint64_t sequence) const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return failed("look at the audit file " + path_);
  const auto size = static_cast<std::size_t>(status.st_size);
  for (std::size_t most = kTailBytes;; most *= 4) {
    const auto tail = read_tail(fd_, size, most);
    if (!tail) return std::unexpected(tail.error());
    std::string_view lines = *tail;
    lines = lines.substr(0, lines.rfind('\n') + 1);
    if (const auto sum = sum_after(lines, sequence, most >= size)) return *sum;
  }
}

Appended LogFile::append(std::string_view lines) {
  if (deleted()) return {0, ENOENT};
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
  const std::size_t kept = lines.substr(0, done).rfind('\n') + 1;
  size_ += kept;
  if (error == 0) return {done, 0};
  excess_ = done - kept;
  cut_excess();  // where that fails too, the next append() tries again before it writes
  return {kept, error};
}

bool LogFile::deleted() const {
  struct stat status {};
  return fstat(fd_, &status) == 0 && status.st_nlink == 0;
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
