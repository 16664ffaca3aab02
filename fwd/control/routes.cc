// The API, one row for each thing that can be asked.
#include "fwd/control/context.h"
#include "fwd/control/handlers.h"

namespace fwd::control {

std::vector<Route> routes(const Context& context) {
  const auto with = [&context](Answer (*handler)(const Context&, const Request&)) -> Handler {
    return [&context, handler](const Request& request) { return handler(context, request); };
  };
  const auto changing = [&context](std::string_view action, ChangeHandler handler) -> Handler {
    return [&context, action, handler](const Request& request) {
      return recorded(context, request, action, handler);
    };
  };
  return {
      {"GET", "/v1/status", Right::Read, with(get_status)},
      {"GET", "/v1/stats", Right::Read, with(get_stats)},
      {"GET", "/v1/audit", Right::Read, with(get_audit)},
      {"GET", "/v1/rules", Right::Read, with(get_rules)},
      {"GET", "/v1/policy", Right::Read, with(get_policy)},
      {"GET", "/v1/sets", Right::Read, with(get_sets)},
      {"GET", "/v1/sets/*", Right::Read, with(get_set)},
      {"POST", "/v1/rules", Right::Change, changing("add_rule", add_rule)},
      {"DELETE", "/v1/rules", Right::Change, changing("remove_rule", remove_rule)},
      {"POST", "/v1/sets/*", Right::Change, changing("change_set", change_set)},
      {"POST", "/v1/check", Right::Change, with(check_policy)},
      {"POST", "/v1/diff", Right::Change, with(diff_policy)},
      {"PUT", "/v1/policy", Right::Change, changing("apply_policy", apply_policy)},
      {"POST", "/v1/enable", Right::Change, changing("enable", enable)},
      {"POST", "/v1/disable", Right::Change, changing("disable", disable)},
      {"POST", "/v1/mode", Right::Change, changing("set_mode", set_mode)},
  };
}

}  // namespace fwd::control
