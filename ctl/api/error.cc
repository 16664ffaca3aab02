#include "ctl/api/error.h"

#include <array>
#include <cstddef>

#include "ctl/api/diagnostic_fields.h"

namespace ctl::api {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  unsigned http;
  ExitStatus exit;
};

constexpr std::array kRows{
    Row{ErrorCode::Syntax, "syntax", 400, ExitStatus::Usage},
    Row{ErrorCode::BadRequest, "bad_request", 400, ExitStatus::Usage},
    Row{ErrorCode::Refused, "refused", 409, ExitStatus::Refused},
    Row{ErrorCode::NotFound, "not_found", 404, ExitStatus::Refused},
    Row{ErrorCode::NotPermitted, "not_permitted", 403, ExitStatus::NotPermitted},
    Row{ErrorCode::Busy, "busy", 503, ExitStatus::Refused},
    Row{ErrorCode::TooLarge, "too_large", 413, ExitStatus::Refused},
    Row{ErrorCode::Internal, "internal", 500, ExitStatus::Refused},
    Row{ErrorCode::Unreachable, "unreachable", 503, ExitStatus::Unreachable},
};

consteval bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  }
  return kRows.size() == static_cast<std::size_t>(ErrorCode::Unreachable) + 1;
}
static_assert(in_order());

constexpr const Row& row(ErrorCode code) {
  return kRows[static_cast<std::size_t>(code)];
}

}  // namespace

template <>
struct Names<ErrorCode> {
  static constexpr auto kNames = [] {
    std::array<std::string_view, kRows.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = kRows[i].name;
    return names;
  }();
};

template <>
struct Fields<Error> {
  static constexpr std::tuple kFields{Field{"code", &Error::code},
                                      Field{"message", &Error::message},
                                      Field{"diagnostics", &Error::diagnostics}};
};

template <>
struct Fields<ErrorBody> {
  static constexpr std::tuple kFields{Field{"error", &ErrorBody::error}};
};

std::string_view to_string(ErrorCode code) {
  return row(code).name;
}
unsigned http_status(ErrorCode code) {
  return row(code).http;
}
ExitStatus exit_status(ErrorCode code) {
  return row(code).exit;
}

ErrorCode code_of(unsigned http_status) {
  switch (http_status) {
    case 403:
      return ErrorCode::NotPermitted;
    case 404:
      return ErrorCode::NotFound;
    case 409:
      return ErrorCode::Refused;
    case 413:
      return ErrorCode::TooLarge;
    case 503:
      return ErrorCode::Busy;
    default:
      return http_status >= 400 && http_status < 500 ? ErrorCode::BadRequest : ErrorCode::Internal;
  }
}

template std::string encode(const ErrorBody&);
template std::expected<ErrorBody, std::string> decode(std::string_view);

}  // namespace ctl::api
