// How a request fails: the code in the body, the HTTP status it goes with, and fwctl's exit status
// for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/diagnostic.h"

namespace ctl::api {

enum class ErrorCode : std::uint8_t {
  Syntax,      // of a rule or a policy; the diagnostics say where
  BadRequest,  // the request itself: no JSON, a field that is missing. Also goes with HTTP 404
               // (path) and 405.
  Refused,     // understood, and not done
  NotFound,    // no such rule or set
  NotPermitted,
  Busy,  // too many connections or a change in progress; try again
  TooLarge,
  Internal,
};

// Fixed: scripts rely on them.
enum class ExitStatus : std::uint8_t {
  Done = 0,
  Refused = 1,
  Usage = 2,
  Unreachable = 3,
  NotPermitted = 4
};

std::string_view to_string(ErrorCode code);  // "not_found"
unsigned http_status(ErrorCode code);        // 404
ExitStatus exit_status(ErrorCode code);      // ExitStatus::Refused

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;  // one line
  std::vector<rules::Diagnostic> diagnostics;
};

// {"error":{...}}, the body of every answer that is not 2xx.
struct ErrorBody {
  Error error;
};

}  // namespace ctl::api
