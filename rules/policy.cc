#include "rules/policy.h"

namespace rules {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::Allow:
      return "allow";
    case Action::Deny:
      return "deny";
    case Action::Reject:
      return "reject";
    case Action::Limit:
      return "limit";
  }
  __builtin_unreachable();
}

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::In:
      return "in";
    case Direction::Out:
      return "out";
  }
  __builtin_unreachable();
}

}  // namespace rules
