// The functions behind the rows of the command table.
#pragma once

#include "ctl/commands.h"

namespace ctl {

// status_commands.cc
Result show_status(const Context& context);
Result show_list(const Context& context);
Result show_stats(const Context& context);
Result enable(const Context& context);
Result disable(const Context& context);
Result change_mode(const Context& context);  // or show it

// rule_commands.cc
Result add_rule(const Context& context);  // add RULE
Result append_rule(
    const Context& context);  // allow ..., deny ...: the name is the rule's first word
Result insert_rule(const Context& context);
Result remove_rule(const Context& context);

// policy_commands.cc
Result change_sets(const Context& context);
Result check_file(const Context& context);
Result diff_file(const Context& context);
Result apply_file(const Context& context);

// audit_commands.cc
Result audit(const Context& context);

// log_commands.cc
Result watch(const Context& context);

// report_commands.cc
Result make_report(const Context& context);

// top_command.cc
Result show_top(const Context& context);

}  // namespace ctl
