// The audit file: whole lines are appended or nothing. A full disk leaves no half line behind, nor
// does a crash, once recover() has looked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "ctl/api/audit_chain.h"
#include "fwd/system_error.h"

namespace fwd::audit {

// What is found at the file's end.
struct LogTail {
  ctl::api::ChainEnd end;        // the last line
  std::size_t torn_bytes = 0;    // of an incomplete last line, which has been cut off
  std::int64_t modified_ns = 0;  // when the file was last written to, ns since 1970
};

// Lines that came after a certain one, and the decisions that they tell of.
struct LinesAfter {
  std::uint64_t written = 0;
  std::uint64_t folded = 0;
  std::uint64_t lost = 0;
  ctl::api::ChainEnd end;  // the last of them; sequence 0 where there is none
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

// Of what has that name; zeros where nothing has.
FileIdentity identity_of(const std::string& path);

// Renames the file to PATH.1, what is there to PATH.2 and so on, so that at most `keep` are left.
Result<void> make_way(const std::string& path, unsigned keep);

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

  // Its last line; sequence 0 where it has none.
  Result<ctl::api::ChainEnd> end() const;

  // Of the file's end, what has a greater sequence.
  Result<LinesAfter> lines_after(std::uint64_t sequence) const;

  // Where the file has been deleted meanwhile nothing is written: ENOENT. One write() unless the kernel takes less. `lines` ends with a line end.
  Appended append(std::string_view lines);

  std::uint64_t size() const { return size_; }
  bool made() const { return made_; }  // by open(): it was not there before
  const FileIdentity& identity() const { return identity_; }
  const std::string& path() const { return path_; }

 private:
  LogFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  bool deleted() const;
  bool cut_excess();

  std::string path_;
  int fd_ = -1;
  FileIdentity identity_;
  bool made_ = false;
  std::uint64_t size_ = 0;  // of whole lines, as far as nobody else touches the file
  std::size_t excess_ = 0;  // bytes of a half line at the file's end that couldn't be cut off yet
};

}  // namespace fwd::audit
