#include "ctl/log/reader.h"

#include <cerrno>
#include <utility>

#include <fmt/core.h>
#include <zlib.h>

#include "ctl/log/files.h"

namespace ctl::log {

void Reader::Close::operator()(void* file) const {
  gzclose_r(static_cast<gzFile>(file));
}

std::expected<Reader, api::Error> Reader::open(const std::string& path) {
  errno = 0;
  gzFile const file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return std::unexpected(unreadable(path, errno));
  gzbuffer(file, kChunk);
  return Reader(path, file);
}

// False at the end of the file.
std::expected<bool, api::Error> Reader::fill() {
  buffer_.erase(0, std::exchange(at_, 0));
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kChunk);
  auto* const file = static_cast<gzFile>(file_.get());
  errno = 0;
  const int got = gzread(file, buffer_.data() + before, kChunk);
  if (got < 0) {
    if (errno != 0) return std::unexpected(unreadable(path_, errno));
    int ignored = 0;
    return std::unexpected(
        api::Error{api::ErrorCode::NotFound,
                   fmt::format("can't read {}: {}", path_, gzerror(file, &ignored)),
                   {}});
  }
  buffer_.resize(before + static_cast<std::size_t>(got));
  return got != 0;
}

std::expected<std::string_view, api::Error> Reader::next() {
  std::size_t looked = 0;
  while (true) {
    const std::size_t end = buffer_.find('\n', at_ + looked);
    const bool found = end != std::string::npos;
    if (found || ended_ || buffer_.size() - at_ >= kLongestLine) {
      const std::size_t begin = at_;
      at_ = found ? end + 1 : buffer_.size();
      return std::string_view(buffer_).substr(begin, at_ - begin);
    }
    looked = buffer_.size() - at_;
    const auto more = fill();
    if (!more) return std::unexpected(more.error());
    ended_ = !*more;
  }
}

}  // namespace ctl::log
