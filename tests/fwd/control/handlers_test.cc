#include "fwd/control/handlers.h"

#include <catch2/catch.hpp>

#include "ctl/api/audit.h"
#include "ctl/api/codec.h"
#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "ctl/api/status.h"
#include "fwd/control/queue_counters.h"
#include "tests/fwd/policy/managed.h"

namespace {

namespace api = ctl::api;
using fwd::control::Answer;
using fwd::control::Context;
using fwd::control::Request;
using fwd::control::Response;
using fwd::control::Router;

// The API as a client sees it, but for the socket.
class Api {
 public:
  explicit Api(const std::string& policy) : managed_(policy) {}

  Response operator()(const std::string& method, const std::string& path,
                      const std::string& body = {},
                      const std::map<std::string, std::string>& query = {}) {
    Request request{{0, 1, {0}}, method, path, {}, query, body};
    const auto route = router_.admit(request);
    return route ? Router::run(**route, request) : route.error();
  }

  template <typename Body>
  Body read(const Response& response) {
    INFO(response.body);
    REQUIRE(response.status == 200);
    auto body = api::decode<Body>(response.body);
    REQUIRE(body);
    return *body;
  }

  fwd::test::Managed& managed() { return managed_; }

  std::vector<fwd::audit::AdminEvent> records;

 private:
  fwd::test::Managed managed_;
  Context context_{
      .policy = *managed_.manager,
      .engine = managed_.engine,
      .firewall = managed_.firewall,
      .audit_state =
          [] {
            return fwd::audit::LogState{.counters = {.decided = 5, .written = 4, .lost = 1},
                                        .before = {10, 7, 2, 1},
                                        .end = {.sequence = 99},
                                        .trouble = "no space"};
          },
      .kernel_copy =
          [] {
            fwd::CopyWatch::State state;
            state.since = std::chrono::system_clock::time_point{};
            state.reason = fwd::CopyReason::QueueFull;
            state.episodes = 2;
            state.packets = {10, 5, 1, 4};
            state.revoked = 3;
            state.limit_refused = 7;
            return state;
          },
      .healthy = [] { return true; },
      .warnings = [] { return std::vector<std::string>{"beware"}; },
      .record = [this](fwd::audit::AdminEvent event) { records.push_back(std::move(event)); },
      .audit_file = "/tmp/audit.json",
      .queues = {0, 1}};
  Router router_{fwd::control::routes(context_), fwd::control::Access::look_up({}, 0)};
};

api::Error error_of(const Response& response) {
  const auto body = api::decode<api::ErrorBody>(response.body);
  REQUIRE(body);
  return body->error;
}

TEST_CASE("status tells of policy, queues, audit log and warnings") {
  Api call("allow in 80/tcp\nset s = { 192.0.2.1 }\nbuiltin ping off\n");
  const auto status = call.read<api::Status>(call("GET", "/v1/status"));
  CHECK(status.enabled);
  CHECK(status.mode == "enforce");
  CHECK(status.generation == 1);
  CHECK(status.policy.rules == 1);
  CHECK(status.policy.sets == 1);
  CHECK(status.policy.loaded.size() == std::string("2026-08-20T10:15:30Z").size());
  CHECK(status.defaults.in == "deny");
  CHECK(status.builtins.at("ping") == false);
  CHECK(status.builtins.at("established") == true);
  CHECK(status.queue.expression == "compat");
  CHECK(status.audit.lost == 1);
  CHECK(status.kernel_copy.active);
  CHECK(status.kernel_copy.since == "1970-01-01T00:00:00Z");
  CHECK(status.kernel_copy.reason == "queue_full");
  CHECK(status.kernel_copy.episodes == 2);
  CHECK(status.kernel_copy.packets == 16);
  CHECK(status.warnings == std::vector<std::string>{"beware"});
}

TEST_CASE("the audit's accounts are told since the start and over all") {
  Api call("allow in 80/tcp\n");
  const auto report = call.read<api::AuditReport>(call("GET", "/v1/audit"));
  CHECK(report.sequence == 99);
  CHECK(report.hash == std::string(64, '0'));
  CHECK(report.since_start.decided == 5);
  CHECK(report.counts.decided == 15);
  CHECK(report.counts.written == 11);
  CHECK(report.counts.folded == 2);
  CHECK(report.counts.lost == 2);
  CHECK(report.trouble == "no space");
  CHECK(report.bytes_free > 0);
}

TEST_CASE("every change and every refused one is recorded, and what changes nothing isn't") {
  Api call("allow in 80/tcp\n");
  call("POST", "/v1/rules", R"({"rule":"deny in 81/tcp"})");
  call("POST", "/v1/rules", R"({"rule":"deny in 81/tcp"})");
  call("POST", "/v1/rules", R"({"rule":"nonsense"})");
  call("POST", "/v1/mode", R"({"mode":"observe"})");
  call("GET", "/v1/status");
  REQUIRE(call.records.size() == 3);
  const auto& added = call.records[0];
  CHECK(added.action == "add_rule");
  CHECK(added.change == "added rule 2: deny in proto tcp from any to any port 81");
  CHECK(added.refusal.empty());
  CHECK(added.actor.uid == 0);
  CHECK(added.actor.user == "root");
  CHECK(added.before.generation + 1 == added.after.generation);
  CHECK(added.before.policy_hash != added.after.policy_hash);
  const auto& refused = call.records[1];
  CHECK(refused.change == "add a rule: nonsense");
  CHECK_FALSE(refused.refusal.empty());
  CHECK(refused.before.policy_hash == refused.after.policy_hash);
  CHECK(call.records[2].change == "changed the mode to observe");
}

TEST_CASE("stats have every reason, also with a count of zero") {
  Api call("allow in 80/tcp\n");
  const auto stats = call.read<api::Stats>(call("GET", "/v1/stats"));
  CHECK(stats.reasons.size() == fwd::engine::kReasons);
  CHECK(stats.reasons.at("observe") == 0);
}

TEST_CASE("stats tell what the kernel decided without the daemon") {
  Api call("allow in 80/tcp\n");
  const auto stats = call.read<api::Stats>(call("GET", "/v1/stats"));
  CHECK(stats.kernel_copy.allow == 10);
  CHECK(stats.kernel_copy.limit == 1);
  CHECK(stats.revoked == 3);
  CHECK(stats.reasons.at("rate_limit") == 7);
  CHECK(stats.reasons.at("shed") == 4);
  CHECK(stats.reasons.at("kernel_copy") == 12);
}

TEST_CASE("a rule's hits are the workers' and the kernel's together") {
  Api call("allow in 80/tcp\n");
  const auto id = call.read<api::RuleList>(call("GET", "/v1/rules")).rules.at(0).id;
  fwd::kernel::CopyHits& hits = call.managed().firewall.hits;
  hits.rules = {{id, 5}, {"ping", 2}, {"gone", 9}};
  hits.default_in = 3;
  hits.default_out = 4;
  const auto list = call.read<api::RuleList>(call("GET", "/v1/rules"));
  CHECK(list.rules.at(0).packets == 5);
  CHECK(list.defaults.in.packets == 3);
  CHECK(list.defaults.out.packets == 4);
}

TEST_CASE("a rule that is logged by sample is listed as such") {
  Api call("allow 80/tcp log sample 250\nallow 443/tcp\n");
  const auto list = call.read<api::RuleList>(call("GET", "/v1/rules"));
  REQUIRE(list.rules.size() == 2);
  CHECK(list.rules[0].log == "sample");
  CHECK(list.rules[0].sample == 250);
  CHECK(list.rules[1].log == "default");
  CHECK_FALSE(list.rules[1].sample);
}

TEST_CASE("rules are listed as written, with their place") {
  Api call("# top\nallow 80/tcp log comment \"web\" # site\n");
  const auto list = call.read<api::RuleList>(call("GET", "/v1/rules"));
  REQUIRE(list.rules.size() == 1);
  CHECK(list.rules[0].number == 1);
  CHECK(list.rules[0].canonical == "allow in proto tcp from any to any port 80");
  CHECK(list.rules[0].comment == "web");
  CHECK(list.rules[0].log == "always");
  CHECK(list.rules[0].file == "policy.fw");
  CHECK(list.rules[0].line == 2);
  CHECK_FALSE(list.builtin.empty());
  CHECK(list.builtin[0].builtin);
  CHECK(list.defaults.out.action == "allow");
}

TEST_CASE("a rule is added, found there already, and removed") {
  Api call("allow in 80/tcp\n");
  const std::string body = R"({"rule":"allow in 443/tcp","position":1})";
  const auto added = call.read<api::RuleAdded>(call("POST", "/v1/rules", body));
  CHECK(added.rule.number == 1);
  CHECK_FALSE(added.already);
  CHECK(call.read<api::RuleAdded>(call("POST", "/v1/rules", body)).already);
  CHECK(call.managed().text() == "allow in 443/tcp\nallow in 80/tcp\n");
  const auto removed =
      call.read<api::RuleRemoved>(call("DELETE", "/v1/rules", "", {{"select", "1"}}));
  CHECK(removed.rule.id == added.rule.id);
  CHECK(call.managed().text() == "allow in 80/tcp\n");
}

TEST_CASE("requests that make no sense are told so") {
  struct Case {
    const char* method;
    const char* path;
    const char* body;
    unsigned status;
    const char* message;
  };
  const Case cases[] = {
      {"POST", "/v1/rules", "{", 400, "the request's body: is not JSON"},
      {"POST", "/v1/rules", "{}", 400, "the request's body: rule: is missing"},
      {"POST", "/v1/rules", R"({"rule":1})", 400, "the request's body: rule: must be a string"},
      {"POST", "/v1/rules", R"({"rule":"allow in 80/tcp","positon":1})", 400,
       "the request's body: positon: is not a field of this request"},
      {"POST", "/v1/rules", R"({"rule":"allow in 81/tcp","position":9})", 400,
       "there is no position 9"},
      {"POST", "/v1/rules", R"({"rule":"allow in 81/tcp\nallow in 82/tcp"})", 400, nullptr},
      {"DELETE", "/v1/rules", "", 400, "which rule? select= is missing"},
      {"POST", "/v1/sets/s", "{}", 400, "either \"add\" or \"remove\" is needed"},
      {"POST", "/v1/sets/s", R"({"add":[],"remove":[]})", 400,
       "either \"add\" or \"remove\" is needed"},
      {"POST", "/v1/sets/t", R"({"add":["192.0.2.1"]})", 404, "there is no set \"t\""},
      {"GET", "/v1/sets/t", "", 404, "there is no set \"t\""},
      {"POST", "/v1/enable", "[]", 400, "the request's body: must be an object"},
      {"POST", "/v1/mode", "{}", 400, "the request's body: mode: is missing"},
      {"POST", "/v1/mode", R"({"mode":"audit"})", 400, R"("mode" must be "enforce" or "observe")"},
      {"POST", "/v1/check", R"({"main":{"name":"a.fw","text":"alow in 80/tcp\n"},"includes":[]})",
       400, nullptr},
  };
  Api call("allow in 80/tcp\nset s = { 192.0.2.1 }\n");
  for (const Case& c : cases) {
    INFO(c.method << " " << c.path << " " << c.body);
    const Response response = call(c.method, c.path, c.body);
    CHECK(response.status == c.status);
    const auto error = error_of(response);
    if (c.message != nullptr) CHECK(error.message == c.message);
  }
  CHECK(call.managed().firewall.calls.empty());
  CHECK(call.managed().text() == "allow in 80/tcp\nset s = { 192.0.2.1 }\n");
}

TEST_CASE("sets are shown and changed") {
  Api call("set s = { 192.0.2.1, 192.0.2.64/26 }\nset p = { 80, 8000:8010 }\n");
  const auto list = call.read<api::SetList>(call("GET", "/v1/sets"));
  REQUIRE(list.sets.size() == 2);
  CHECK(list.sets[0].name == "p");
  CHECK(list.sets[0].kind == api::SetKind::Ports);
  CHECK(list.sets[0].members == std::vector<std::string>{"80", "8000:8010"});
  CHECK(list.sets[1].members == std::vector<std::string>{"192.0.2.1", "192.0.2.64/26"});
  const auto changed =
      call.read<api::SetChanged>(call("POST", "/v1/sets/s", R"({"add":["192.0.2.9"]})"));
  CHECK(changed.set == "s");
  CHECK(changed.entries == 3);
  CHECK(call.read<api::Set>(call("GET", "/v1/sets/s")).members ==
        std::vector<std::string>{"192.0.2.1", "192.0.2.9", "192.0.2.64/26"});
  CHECK_FALSE(changed.already);
}

TEST_CASE("a policy is checked, applied and read back") {
  Api call("allow in 80/tcp\n");
  const std::string sources =
      R"({"main":{"name":"n.fw","text":"allow in 443/tcp\n"},"includes":[]})";
  CHECK(call.read<api::Checked>(call("POST", "/v1/check", sources)).rules == 1);
  CHECK(call.managed().generation() == 1);
  const auto applied = call.read<api::Applied>(call("PUT", "/v1/policy", sources));
  CHECK(applied.generation == 2);
  CHECK(call.read<api::Applied>(call("PUT", "/v1/policy", sources)).already);
  const auto text = call.read<api::PolicyText>(call("GET", "/v1/policy"));
  CHECK(text.sources.main.name == "policy.fw");
  CHECK(text.sources.main.text == "allow in 443/tcp\n");
  CHECK(text.hash.size() == 64);
}

TEST_CASE("a broken policy comes back with its diagnostics") {
  Api call("allow in 80/tcp\n");
  const auto response =
      call("PUT", "/v1/policy",
           R"({"main":{"name":"n.fw","text":"allow in\nalow in 80/tcp\n"},"includes":[]})");
  CHECK(response.status == 400);
  const auto error = error_of(response);
  CHECK(error.code == api::ErrorCode::Syntax);
  REQUIRE(error.diagnostics.size() == 2);
  CHECK(error.diagnostics[1].where.file == "n.fw");
  CHECK(error.diagnostics[1].where.line == 2);
}

TEST_CASE("the mode is changed, and shown by status") {
  Api call("allow in 80/tcp\n");
  CHECK(call.read<api::Status>(call("GET", "/v1/status")).mode == "enforce");
  const auto changed =
      call.read<api::ModeChanged>(call("POST", "/v1/mode", R"({"mode":"observe"})"));
  CHECK(changed.mode == "observe");
  CHECK_FALSE(changed.already);
  CHECK(call.read<api::ModeChanged>(call("POST", "/v1/mode", R"({"mode":"observe"})")).already);
  CHECK(call.read<api::Status>(call("GET", "/v1/status")).mode == "observe");
}

TEST_CASE(
    "a diff names a thousand of the connections that it cuts, the one that was asked for first") {
  Api call("allow in 22,80/tcp\n");
  call.managed().live.assign(1500, fwd::test::connection_to(80));
  call.managed().live.push_back(fwd::test::connection_to(22));
  const auto diff = call.read<api::Diff>(
      call("POST", "/v1/diff", api::encode(api::Sources{{"new.fw", "allow in 443/tcp\n"}, {}}),
           {{"from", "203.0.113.7:51514"}, {"to", "10.0.0.11:22"}}));
  CHECK(diff.cut == 1501);
  REQUIRE(diff.connections.size() == 1000);
  CHECK(diff.connections[0].destination == "10.0.0.11:22");
  CHECK(diff.connections[1].destination == "10.0.0.11:80");
}

TEST_CASE("enable and disable say when it was so already") {
  Api call("allow in 80/tcp\n");
  CHECK(call.read<api::Enabled>(call("POST", "/v1/enable", "{}")).already);
  CHECK_FALSE(call.read<api::Enabled>(call("POST", "/v1/disable", "{}")).already);
  CHECK_FALSE(call.read<api::Status>(call("GET", "/v1/status")).enabled);
}

TEST_CASE("the kernel's counters are read by queue number") {
  const auto counters = fwd::control::parse_queue_counters(
      "    0   1234     5 2   256     6     7        8  1\n"
      "   10   1234     0 2   256     0     0        0  1\n"
      "nonsense\n");
  REQUIRE(counters.size() == 2);
  CHECK(counters.at(0).waiting == 5);
  CHECK(counters.at(0).dropped == 6);
  CHECK(counters.at(0).user_dropped == 7);
  CHECK(counters.contains(10));
}

TEST_CASE("enabling a policy that lets nobody in is warned of") {
  Api call("deny in from 192.0.2.1\n");
  call("POST", "/v1/disable", "{}");
  const auto enabled = call.read<api::Enabled>(call("POST", "/v1/enable", "{}"));
  CHECK_FALSE(enabled.already);
  REQUIRE(enabled.warnings.size() == 1);
  CHECK(enabled.warnings[0].message.starts_with("nothing is let in"));
  CHECK(call.read<api::Enabled>(call("POST", "/v1/enable", "{}")).warnings.size() == 1);
  Api open("allow in ssh\n");
  CHECK(open.read<api::Enabled>(open("POST", "/v1/enable", "{}")).warnings.empty());
}

TEST_CASE("a rule that gets another comment is there already, and updated") {
  Api call("allow in 80/tcp\n");
  const auto added = call.read<api::RuleAdded>(
      call("POST", "/v1/rules", R"({"rule":"allow 80/tcp comment web"})"));
  CHECK(added.already);
  CHECK(added.updated);
  CHECK(added.rule.comment == "web");
}

}  // namespace
