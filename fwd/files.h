// Whole files in and out, with every failure named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fwd/system_error.h"

namespace fwd {

// A regular file's or a /proc file's bytes. Never waits: a FIFO in its place is an error.
Result<std::string> read_file(const std::string& path, std::size_t most = 64 << 20);

// Whether these are the bytes of such a file.
Result<bool> holds(const std::string& path, std::string_view bytes);

Result<void> write_all(int fd, std::string_view bytes);

// Makes or replaces the file, for its owner alone: in one step, and safe on disk when it returns.
Result<void> replace_file(const std::string& path, std::string_view bytes);

// Likewise, for everybody to read. It may be gone after a power failure.
Result<void> publish_file(const std::string& path, std::string_view bytes);

// So that a rename or removal in it outlives a power failure.
Result<void> sync_directory(const std::string& path);

}  // namespace fwd
