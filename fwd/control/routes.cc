// The API, one row for each thing that can be asked.
#include "fwd/control/context.h"
#include "fwd/control/handlers.h"

namespace fwd::control {

std::vector<Route> routes(const Context& context) {
  const auto with = [&context](Answer (*handler)(const Context&, const Request&)) -> Handler {
    return [&context, handler](const Request& request) { return handler(context, request); };
  };
  return {
      {"GET", "/v1/status", Right::Read, with(get_status)},
      {"GET", "/v1/stats", Right::Read, with(get_stats)},
      {"GET", "/v1/audit", Right::Read, with(get_audit)},
      {"GET", "/v1/rules", Right::Read, with(get_rules)},
      {"GET", "/v1/policy", Right::Read, with(get_policy)},
      {"GET", "/v1/sets", Right::Read, with(get_sets)},
      {"GET", "/v1/sets/*", Right::Read, with(get_set)},
      {"POST", "/v1/rules", Right::Change, with(add_rule)},
      {"DELETE", "/v1/rules", Right::Change, with(remove_rule)},
      {"POST", "/v1/sets/*", Right::Change, with(change_set)},
      {"POST", "/v1/check", Right::Change, with(check_policy)},
      {"POST", "/v1/diff", Right::Change, with(diff_policy)},
      {"PUT", "/v1/policy", Right::Change, with(apply_policy)},
      {"POST", "/v1/enable", Right::Change, with(enable)},
      {"POST", "/v1/disable", Right::Change, with(disable)},
      {"POST", "/v1/mode", Right::Change, with(set_mode)},
  };
}

}  // namespace fwd::control
