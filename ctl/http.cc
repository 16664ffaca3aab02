#include "ctl/http.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "ctl/api/audit.h"

namespace ctl {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t");
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

template <class Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || end != digits.end()) return std::nullopt;
  return number;
}

// "HTTP/1.1 200 OK"
std::optional<unsigned> parse_status(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  const auto status = parse_number<unsigned>(line.substr(9, 3));
  return status && *status >= 200 ? status : std::nullopt;
}

}  // namespace

std::string request_head(const Request& request, std::string_view sudo_uid) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\n",
                                 request.method, request.target);
  if (!request.body.empty()) {
    fmt::format_to(std::back_inserter(text),
                   "Content-Type: application/json\r\nContent-Length: {}\r\n", request.body.size());
  }
  if (!sudo_uid.empty())
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", api::kSudoUidHeader, sudo_uid);
  return text + "\r\n";
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      result += c;
    } else {
      fmt::format_to(std::back_inserter(result), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::expected<bool, std::string> ReplyReader::feed(std::string_view bytes) {
  received_ += bytes;
  if (!in_body_) {
    const std::size_t end = received_.find(kBlankLine);
    if (std::min(end, received_.size()) > kMaxHeader)
      return std::unexpected("its header is too long");
    if (end == std::string::npos) return false;
    if (auto read = read_header(std::string_view(received_).substr(0, end)); !read) {
      return std::unexpected(std::move(read.error()));
    }
    received_.erase(0, end + kBlankLine.size());
    in_body_ = true;
  }
  if (received_.size() > kMaxBody) return std::unexpected("it is too long");
  if (length_ && received_.size() > *length_) return std::unexpected("it is longer than it says");
  return length_ && received_.size() == *length_;
}

std::expected<void, std::string> ReplyReader::read_header(std::string_view header) {
  const std::size_t first_end = std::min(header.find("\r\n"), header.size());
  const auto status = parse_status(header.substr(0, first_end));
  if (!status) return std::unexpected("it isn't HTTP");
  status_ = *status;
  if (status_ == 204) length_ = 0;
  for (std::size_t begin = first_end; begin < header.size();) {
    begin += 2;
    const std::size_t end = std::min(header.find("\r\n", begin), header.size());
    if (auto read = read_field(header.substr(begin, end - begin)); !read) return read;
    begin = end;
  }
  return {};
}

std::expected<void, std::string> ReplyReader::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::unexpected("its header is malformed");
  const std::string name = lower(line.substr(0, colon));
  // The daemon knows every answer's length and never sends one in pieces.
  if (name == "transfer-encoding") return std::unexpected("it is sent in pieces");
  if (name != "content-length") return {};
  length_ = parse_number<std::size_t>(trim(line.substr(colon + 1)));
  if (!length_) return std::unexpected("its length is malformed");
  if (*length_ > kMaxBody) return std::unexpected("it is too long");
  return {};
}

std::expected<Reply, std::string> ReplyReader::finish() {
  if (!in_body_) return std::unexpected(received_.empty() ? "it is empty" : "it ends early");
  if (length_ && received_.size() < *length_) return std::unexpected("it ends early");
  return Reply{status_, std::move(received_)};
}

}  // namespace ctl
