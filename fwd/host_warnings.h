// What the administrator should know beside the policy: other firewalls, a full conntrack table,
// workers that hang, lost records.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "fwd/audit/drain.h"
#include "fwd/engine/engine.h"
#include "fwd/kernel/conntrack.h"
#include "fwd/kernel/foreign_filters.h"

namespace fwd {

// `root` stands for / in tests.
std::vector<std::string> other_firewalls(const std::string& root = "");
std::vector<std::string> foreign_table_warnings(const std::vector<kernel::ForeignFilter>& filters);
std::vector<std::string> conntrack_warnings(const kernel::ConntrackFill& fill);
std::vector<std::string> audit_warnings(const audit::LogState& log);
// Of a log that fwd rotates by itself.
std::vector<std::string> rotation_warnings(const std::string& root = "");
std::vector<std::string> worker_warnings(const std::vector<engine::QueueTotals>& queues,
                                         bool healthy);

}  // namespace fwd
