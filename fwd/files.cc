#include "fwd/files.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/stat.h>

#include "fwd/unique_fd.h"

namespace fwd {
namespace {

// `settle` is called with the whole new file, before it takes the old one's place.
Result<void> replace(const std::string& path, std::string_view bytes,
                     const std::function<Result<void>(int fd)>& settle) {
  std::string temporary = path + ".XXXXXX";
  const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return failed("make a new file beside " + path);
  const auto fill = [&]() -> Result<void> {
    if (auto written = write_all(fd.get(), bytes); !written) return written;
    if (auto settled = settle(fd.get()); !settled) return settled;
    if (rename(temporary.c_str(), path.c_str()) != 0) return failed("rename");
    return {};
  };
  auto filled = fill();
  if (filled) return {};
  unlink(temporary.c_str());
  return failed("replace " + path + ": " + filled.error().what, filled.error().code);
}

// Visits a regular file's bytes part by part, until `visit` returns false.
Result<void> for_each_part(const std::string& path,
                           const std::function<bool(std::string_view part)>& visit) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return failed("open " + path);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return failed("look at " + path);
  if (!S_ISREG(status.st_mode)) return failed(path + " is not a regular file", 0);
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read " + path);
    if (!visit({buffer.data(), static_cast<std::size_t>(got)})) return {};
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  std::string bytes;
  const auto done = for_each_part(path, [&](std::string_view part) {
    bytes += part;
    return bytes.size() <= most;
  });
  if (!done) return std::unexpected(done.error());
  if (bytes.size() > most) return failed("read " + path, EFBIG);
  return bytes;
}

Result<bool> holds(const std::string& path, std::string_view bytes) {
  bool same = true;
  const auto done = for_each_part(path, [&](std::string_view part) {
    same = bytes.starts_with(part);
    if (same) bytes.remove_prefix(part.size());
    return same;
  });
  if (!done) return std::unexpected(done.error());
  return same && bytes.empty();
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const auto settle = [](int fd) -> Result<void> {
    if (fsync(fd) != 0) return failed("sync");
    return {};
  };
  if (auto replaced = replace(path, bytes, settle); !replaced) return replaced;
  return sync_directory(std::filesystem::path(path).parent_path());
}

Result<void> publish_file(const std::string& path, std::string_view bytes) {
  return replace(path, bytes, [](int fd) -> Result<void> {
    if (fchmod(fd, 0644) != 0) return failed("let others read it");
    return {};
  });
}

Result<void> sync_directory(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) return failed("sync " + path);
  return {};
}

}  // namespace fwd
