// HTTP/1.1 as text: one request out, one answer back. No I/O here; client.h does that.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace ctl {

struct Request {
  std::string method;
  std::string target;  // path and query, percent-encoded
  std::string body;    // JSON; sent where it isn't empty
  std::chrono::seconds timeout{10};
};

struct Reply {
  unsigned status = 0;
  std::string body;
};

// All but the body. `sudo_uid`, in digits, is of who called by sudo; empty: nobody did.
std::string request_head(const Request& request, std::string_view sudo_uid = {});

// RFC 3986: everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

// Takes the bytes of an answer as they come. All errors are one line that says what is wrong with
// the answer.
class ReplyReader {
 public:
  static constexpr std::size_t kMaxHeader = std::size_t{16} << 10;
  static constexpr std::size_t kMaxBody = std::size_t{64} << 20;

  // True when the answer is complete.
  std::expected<bool, std::string> feed(std::string_view bytes);

  // The peer has closed: an answer without a length ends here.
  std::expected<Reply, std::string> finish();

 private:
  std::expected<void, std::string> read_header(std::string_view header);
  std::expected<void, std::string> read_field(std::string_view line);

  std::string received_;
  bool in_body_ = false;
  std::optional<std::size_t> length_;
  unsigned status_ = 0;
};

}  // namespace ctl
