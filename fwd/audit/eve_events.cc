// Records of what is no decision.
#include <unistd.h>

#include "fwd/audit/describe.h"
#include "fwd/audit/eve.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

// Behind the message, within its quotes.
void begin_own(std::string& out, std::string_view dataset, std::uint64_t sequence,
               std::string_view action) {
  out.append(R"("},"metadata":{"flowvars":[{"dataset":")").append(dataset);
  json::append_number(out.append(R"(","sequence":)"), sequence);
  json::append_string(out.append(R"(,"action":)"), action);
}

void append_actor(std::string& out, const AdminEvent::Actor& actor) {
  if (!actor.uid) return;
  json::append_number(out.append(R"(,"uid":)"), *actor.uid);
  if (!actor.user.empty()) json::append_string(out.append(R"(,"user":)"), actor.user);
  json::append_number(out.append(R"(,"pid":)"), static_cast<std::uint64_t>(actor.pid));
  if (!actor.command.empty()) json::append_string(out.append(R"(,"command_line":)"), actor.command);
}

}  // namespace

void EveEncoder::append(std::string& out, const Gap& gap, std::int64_t now_ns,
                        std::uint64_t sequence) {
  begin_message(out, now_ns, "Warning");
  describe(out, gap);
  begin_own(out, "fwd.audit_gap", sequence, "gap");
  out.append(R"(,"reason":")").append(to_string(gap.reason)).append("\",");
  append_own(out, gap, time_);
  out.append("}]}}\n");
}

void EveEncoder::append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence, const Checkpoint& checkpoint) {
  begin_message(out, now_ns, "Notice");
  json::append_escaped(out, event.message);
  begin_own(out, "fwd.health", sequence, event.action);
  if (!event.reason.empty()) json::append_string(out.append(R"(,"reason":)"), event.reason);
  out.append(R"(,"version":")" FWD_VERSION R"(")");
  json::append_number(out.append(R"(,"pid":)"), static_cast<std::uint64_t>(getpid()));
  if (event.packets || event.missed || event.checkpoint)
    append_own(out.append(","), event, checkpoint);
  out.append("}]}}\n");
}

void EveEncoder::append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence) {
  const bool refused = !event.refusal.empty();
  begin_message(out, now_ns, refused ? "Warning" : "Notice");
  describe(out, event);
  begin_own(out, "fwd.admin", sequence, event.action);
  out.append(refused ? R"(,"outcome":"failure")" : R"(,"outcome":"success")");
  if (refused) json::append_string(out.append(R"(,"reason":)"), event.refusal);
  append_actor(out, event.actor);
  append_own(out.append(","), event);
  out.append("}]}}\n");
}

void EveEncoder::append(std::string& out, const FlowGap& gap, std::int64_t now_ns,
                        std::uint64_t sequence) {
  begin_message(out, now_ns, "Warning");
  describe(out, gap);
  begin_own(out, "fwd.audit_gap", sequence, "gap");
  append_own(out.append(R"(,"reason":"flow_overrun",)"), gap, time_);
  out.append("}]}}\n");
}

// Up to the text within its quotes.
void EveEncoder::begin_message(std::string& out, std::int64_t time_ns, std::string_view level) {
  append_time(out.append(R"({"timestamp":)"), time_ns);
  out.append(R"(,"log_level":")").append(level).append("\"");
  append_type(out, "engine");
  out.append(R"(,"engine":{"message":")");
}

}  // namespace fwd::audit
