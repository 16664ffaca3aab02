// Where the audit log is, and which files it has been rotated to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "ctl/api/error.h"
#include "ctl/time_text.h"

namespace ctl::log {

inline constexpr const char* kDefaultPath = "/var/log/fwd/audit.json";

// Bytes. So much is read at once; what is longer than a line of ours can be is given out in parts.
inline constexpr unsigned kChunk = 256 * 1024;
inline constexpr std::size_t kLongestLine = 1024 * 1024;

struct RotatedFile {
  std::uint64_t first = 0;  // the sequence of its first line; 0 where that is none of ours
  std::string path;
};

// What `path` was rotated to (PATH.1, PATH.2.gz, PATH-20260820.gz), the oldest first. With `since` those are left out that
// were written to before that time only.
std::expected<std::vector<RotatedFile>, api::Error> rotated_files(const std::string& path,
                                                                  std::optional<Time> since);

// By the sequence of their first lines; those that have none come first.
std::expected<std::vector<std::string>, api::Error> in_order(std::vector<std::string> files);

// The error for a file that open() or the like has failed for: NotPermitted or NotFound.
api::Error unreadable(const std::string& path, int error_number);

}  // namespace ctl::log
