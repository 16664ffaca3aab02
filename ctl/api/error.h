// How a request fails: the code in the body, and the HTTP status and exit status that go with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/diagnostic.h"

namespace ctl::api {

enum class ErrorCode : std::uint8_t {
  Syntax,      // of a rule or a policy; the diagnostics say where
  BadRequest,  // the request itself: no JSON, a field is missing, not a command
  Refused,     // understood, and not done
  NotFound,    // no such rule or set
  NotPermitted,
  Busy,  // too many connections, or a change in progress: try again
  TooLarge,
  Internal,
  Unreachable,  // fwctl's own: no daemon answers
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

// For an answer without a body of ours, such as an HTTP library's own.
ErrorCode code_of(unsigned http_status);

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
