#include "ctl/report/report.h"

namespace ctl::report {

std::string_view label(Cause cause) {
  switch (cause) {
    case Cause::Default:
      return "no rule allows it";
    case Cause::Rule:
      return "a rule denies it";
    case Cause::RateLimit:
      return "over a rate limit";
    case Cause::Revoked:
      return "cut by a new policy";
    case Cause::Invalid:
      return "invalid packet";
    case Cause::Other:
      return "other reasons";
    case Cause::Observed:
      return "observed only, let through";
  }
  __builtin_unreachable();
}

std::string_view label(Episode::Kind kind) {
  switch (kind) {
    case Episode::Kind::Copy:
      return "kernel's copy decides";
    case Episode::Kind::Down:
      return "daemon not running";
    case Episode::Kind::Missing:
      return "records missing";
    case Episode::Kind::Change:
      return "change";
    case Episode::Kind::Refused:
      return "refused change";
    case Episode::Kind::Other:
      return "other";
  }
  __builtin_unreachable();
}

}  // namespace ctl::report
