// The audit file: whole lines are appended or nothing. A full disk leaves no half line behind, nor
// does a crash, once recover() has looked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "fwd/system_error.h"

namespace fwd::audit {

// What is found at the file's end.
struct LogTail {
  std::uint64_t last_sequence = 0;  // event.sequence of the last line that has one
  std::size_t torn_bytes = 0;       // of an incomplete last line, which has been cut off
  std::int64_t modified_ns = 0;     // when the file was last written to, ns since 1970
};

// `kept` bytes from the beginning are in the file, all of them whole lines. error is 0, or the
// errno that stopped the rest.
struct Appended {
  std::size_t kept = 0;
  int error = 0;
};

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  bool operator==(const FileIdentity&) const = default;
};

class LogFile {
 public:
  // Makes the file (0640) and the folders above it (0750) where they are missing. Follows no pipe
  // or device.
  static Result<LogFile> open(const std::string& path);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  // Only while nobody writes to the file. A file whose last line can't be a record of ours is an
  // error and stays untouched.
  Result<LogTail> recover();

  // One write() unless the kernel takes less. `lines` ends with a line end.
  Appended append(std::string_view lines);

  const FileIdentity& identity() const { return identity_; }
  const std::string& path() const { return path_; }

 private:
  LogFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  bool cut_excess();

  std::string path_;
  int fd_ = -1;
  FileIdentity identity_;
  std::size_t excess_ = 0;  // bytes of a half line at the file's end that couldn't be cut off yet
};

}  // namespace fwd::audit
