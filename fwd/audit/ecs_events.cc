// Records of what is no decision.
#include <unistd.h>

#include "fwd/audit/describe.h"
#include "fwd/audit/ecs.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

constexpr std::string_view types(HealthType type) {
  switch (type) {
    case HealthType::Start:
      return R"(["start"])";
    case HealthType::End:
      return R"(["end"])";
    case HealthType::Info:
      return R"(["info"])";
  }
  __builtin_unreachable();
}

void append_happening(std::string& out, std::string_view category, std::string_view type,
                      std::string_view action, std::string_view dataset, std::uint64_t sequence) {
  out.append(R"(,"event":{"kind":"event","category":[")").append(category);
  out.append(R"("],"type":)").append(type).append(R"(,"action":)");
  json::append_string(out, action);
  out.append(R"(,"dataset":")").append(dataset);
  json::append_number(out.append(R"(","sequence":)"), sequence);
}

void append_user_and_process(std::string& out, const AdminEvent::Actor& actor) {
  if (!actor.uid) return;
  json::append_number(out.append(R"(,"user":{"id":")"), *actor.uid);
  out.push_back('"');
  if (!actor.user.empty()) json::append_string(out.append(R"(,"name":)"), actor.user);
  json::append_number(out.append(R"(},"process":{"pid":)"), static_cast<std::uint64_t>(actor.pid));
  if (!actor.command.empty()) json::append_string(out.append(R"(,"command_line":)"), actor.command);
  out.push_back('}');
}

}  // namespace

void EcsEncoder::append(std::string& out, const Gap& gap, std::int64_t now_ns,
                        std::uint64_t sequence) {
  begin(out, now_ns);
  describe(out.append(R"(,"message":")"), gap);
  append_happening(out.append("\""), "host", R"(["info"])", "gap", "fwd.audit_gap", sequence);
  out.append(R"(,"reason":")").append(to_string(gap.reason)).append("\"}");
  begin_observer(out);
  append_own(out.append(R"(},"fwd":{)"), gap, time_);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence, const Checkpoint& checkpoint) {
  begin(out, now_ns);
  json::append_string(out.append(R"(,"message":)"), event.message);
  append_happening(out, "process", types(event.type), event.action, "fwd.health", sequence);
  if (!event.reason.empty()) json::append_string(out.append(R"(,"reason":)"), event.reason);
  begin_observer(out.append("}"));
  out.append(R"(,"version":")" FWD_VERSION R"("})");
  json::append_number(out.append(R"(,"process":{"pid":)"), static_cast<std::uint64_t>(getpid()));
  append_own(out.append(R"(},"fwd":{)"), event, checkpoint);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence) {
  const bool refused = !event.refusal.empty();
  begin(out, now_ns);
  describe(out.append(R"(,"message":")"), event);
  append_happening(out.append("\""), "configuration", R"(["change"])", event.action, "fwd.admin",
                   sequence);
  out.append(refused ? R"(,"outcome":"failure")" : R"(,"outcome":"success")");
  if (refused) json::append_string(out.append(R"(,"reason":)"), event.refusal);
  begin_observer(out.append("}"));
  append_user_and_process(out.append("}"), event.actor);
  append_own(out.append(R"(,"fwd":{)"), event);
  out.append("}}\n");
}

}  // namespace fwd::audit
