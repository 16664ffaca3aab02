// The handlers behind the routes: each reads a request, calls what does the work, and renders the
// answer.
#pragma once

#include "fwd/control/changes.h"
#include "fwd/control/context.h"

namespace fwd::control {

// status_handlers.cc
Answer get_status(const Context& context, const Request& request);
Answer get_stats(const Context& context, const Request& request);

// audit_handlers.cc
Answer get_audit(const Context& context, const Request& request);

// policy_handlers.cc
Answer get_rules(const Context& context, const Request& request);
Answer get_policy(const Context& context, const Request& request);
Answer get_sets(const Context& context, const Request& request);
Answer get_set(const Context& context, const Request& request);  // the argument is its name

// change_handlers.cc
Answer add_rule(const Context& context, const Request& request, Change& change);
Answer remove_rule(const Context& context, const Request& request, Change& change);
Answer change_set(const Context& context, const Request& request, Change& change);
Answer check_policy(const Context& context, const Request& request);
Answer diff_policy(const Context& context, const Request& request);
Answer apply_policy(const Context& context, const Request& request, Change& change);
Answer enable(const Context& context, const Request& request, Change& change);
Answer disable(const Context& context, const Request& request, Change& change);
Answer set_mode(const Context& context, const Request& request, Change& change);

}  // namespace fwd::control
