// What fwctl shows: pure functions from the API's bodies to text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/api/audit.h"
#include "ctl/api/error.h"
#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "ctl/api/status.h"
#include "ctl/look.h"
#include "ctl/session.h"

namespace ctl {

enum class Detail : std::uint8_t { Brief, Numbered, Verbose };

std::string render_status(const api::Status& status, const api::RuleList& list, Detail detail,
                          const Look& look);
std::string render_stats(const api::Stats& stats, const Look& look);

// With numbers and ids (Numbered), and also with the rule's place (Verbose); the defaults come
// last.
std::string render_rule_table(const api::RuleList& list, Detail detail, const Look& look);
// One rule a line, as it may stand in a policy.
std::string render_statements(const std::vector<api::Rule>& rules, const Look& look);
// "3  9c1f02ab5d3e7a10  allow in 80/tcp comment "web""
std::string render_rule(const api::Rule& rule, const Look& look);

std::string render_sets(const std::vector<api::Set>& sets, const Look& look);
std::string render_members(const api::Set& set);  // one a line

// Lines taken away and added, then the live connections that would be cut.
std::string render_diff(const api::Diff& diff, const Session& own, const Look& look);

// ", 3 live connections cut", or nothing.
std::string cut_text(std::uint64_t connections);

std::string render_audit(const api::AuditReport& report, const Look& look);
std::string render_verified(const api::AuditVerified& verified, const Look& look);

std::string render_diagnostics(const std::vector<rules::Diagnostic>& diagnostics);
std::string render_error(const api::Error& error);

// One table of the workers' queues, for status and stats.
std::string render_workers(const std::vector<api::Worker>& workers, const Look& look);

}  // namespace ctl
