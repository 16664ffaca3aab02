// Lines of audit files, plain or compressed by gzip, one after the other.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "ctl/api/error.h"

namespace ctl::log {

class Reader {
 public:
  static std::expected<Reader, api::Error> open(const std::string& path);

  // The next line with its line end, which the last one may lack; empty at the end. What is far too long for a record comes in
  // parts.
  std::expected<std::string_view, api::Error> next();

 private:
  struct Close {
    void operator()(void* file) const;  // zlib's gzFile
  };

  explicit Reader(std::string path, void* file) : path_(std::move(path)), file_(file) {}
  std::expected<bool, api::Error> fill();

  std::string path_;
  std::unique_ptr<void, Close> file_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace ctl::log
