#include "ctl/fwctl.h"

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "ctl/api/codec.h"
#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "ctl/api/status.h"

using namespace ctl;

namespace {

// A daemon that gives every request the same answer and keeps what it was asked.
struct FakeDaemon {
  unsigned status = 200;
  std::string body = "{}";
  std::map<std::string, std::string> pages;  // bodies by target, before `body`
  bool running = true;
  Ended disabled{0, "fwd: disabled\n"};
  bool root = true;
  std::string socket;
  std::vector<std::string> asked;

  Output run(const std::vector<std::string>& arguments) {
    const Parts parts{{},
                      [this](const std::string& path) { return connect(path); },
                      [this] { return disable(); }};
    return ctl::run(arguments, "/default.sock", parts);
  }

 private:
  Exchange connect(const std::string& path) {
    socket = path;
    return [this](const Request& request) -> std::expected<Reply, api::Error> {
      asked.push_back(request.method + ' ' + request.target + ' ' + request.body);
      const auto page = pages.find(request.target);
      if (running) return Reply{status, page != pages.end() ? page->second : body};
      return std::unexpected(api::Error{api::ErrorCode::Unreachable, "no answer", {}});
    };
  }
  std::expected<Ended, api::Error> disable() const {
    if (root) return disabled;
    return std::unexpected(api::Error{api::ErrorCode::NotPermitted, "only root", {}});
  }
};

std::string error_body(api::ErrorCode code, const std::string& message) {
  return api::encode(api::ErrorBody{{code, message, {}}});
}

api::Rule web_rule() {
  api::Rule rule;
  rule.number = 3;
  rule.id = "9c1f02ab5d3e7a10";
  rule.action = "allow";
  rule.text = "allow in 80/tcp";
  rule.comment = "web";
  return rule;
}

}  // namespace

TEST_CASE("each command asks for what it means") {
  struct Case {
    std::vector<std::string> arguments;
    std::string asked;
  };
  const Case cases[] = {
      {{"status"}, "GET /v1/status "},
      {{"status", "verbose"}, "GET /v1/status "},
      {{"status", "numbered"}, "GET /v1/rules "},
      {{"list"}, "GET /v1/rules "},
      {{"stats"}, "GET /v1/stats "},
      {{"allow", "80/tcp"}, R"(POST /v1/rules {"rule":"allow 80/tcp"})"},
      {{"deny", "in", "from", "192.0.2.1"}, R"(POST /v1/rules {"rule":"deny in from 192.0.2.1"})"},
      {{"reject", "out", "25/tcp", "comment", "no mail"},
       R"(POST /v1/rules {"rule":"reject out 25/tcp comment \"no mail\""})"},
      {{"limit", "ssh"}, R"(POST /v1/rules {"rule":"limit ssh"})"},
      {{"add", "allow", "80/tcp"}, R"(POST /v1/rules {"rule":"allow 80/tcp"})"},
      {{"add", "allow 80/tcp"}, R"(POST /v1/rules {"rule":"allow 80/tcp"})"},
      {{"insert", "2", "allow", "80/tcp"},
       R"(POST /v1/rules {"rule":"allow 80/tcp","position":2})"},
      {{"remove", "3"}, "DELETE /v1/rules?select=3 "},
      {{"delete", "9c1f"}, "DELETE /v1/rules?select=9c1f "},
      {{"--force", "delete", "allow", "80/tcp"}, "DELETE /v1/rules?select=allow%2080%2Ftcp "},
      {{"set", "list"}, "GET /v1/sets "},
      {{"set", "list", "peers"}, "GET /v1/sets/peers "},
      {{"set", "list", "a/b"}, "GET /v1/sets/a%2Fb "},
      {{"set", "add", "peers", "192.0.2.1", "192.0.2.2"},
       R"(POST /v1/sets/peers {"add":["192.0.2.1","192.0.2.2"]})"},
      {{"set", "remove", "peers", "192.0.2.1"}, R"(POST /v1/sets/peers {"remove":["192.0.2.1"]})"},
      {{"enable"}, "POST /v1/enable {}"},
      {{"disable"}, "POST /v1/disable {}"},
      {{"mode"}, "GET /v1/status "},
      {{"mode", "observe"}, R"(POST /v1/mode {"mode":"observe"})"},
      {{"mode", "enforce"}, R"(POST /v1/mode {"mode":"enforce"})"},
  };
  for (Case c : cases) {
    INFO(c.asked);
    FakeDaemon daemon;
    daemon.body = R"({"some":"answer"})";
    c.arguments.push_back("--json");
    const Output output = daemon.run(c.arguments);
    CHECK(daemon.asked == std::vector<std::string>{c.asked});
    CHECK(output.text == "{\"some\":\"answer\"}\n");
    CHECK(output.notes.empty());
    CHECK(output.status == 0);
  }
}

TEST_CASE("a command line that makes no sense asks nothing and is exit status 2") {
  struct Case {
    std::vector<std::string> arguments;
    std::string notes;
  };
  const Case cases[] = {
      {{"stauts"}, "fwctl: unknown command \"stauts\": did you mean \"status\"?\n"},
      {{"xyzzy"}, "fwctl: unknown command \"xyzzy\": see fwctl help\n"},
      {{"reload"},
       "fwctl: unknown command \"reload\": use systemctl reload fwd, or apply the policy file\n"},
      {{"rule", "allow", "80"},
       "fwctl: unknown command \"rule\": leave it out, as in fwctl allow 80/tcp\n"},
      {{"ufw", "allow", "80"},
       "fwctl: unknown command \"ufw\": leave it out, as in fwctl allow 80/tcp\n"},
      {{"version", "x"}, "fwctl: usage: fwctl version\n"},
      {{"--dry-run", "allow", "80"},
       "fwctl: unknown option \"--dry-run\": fwctl check FILE and fwctl diff FILE show what a "
       "policy "
       "would do\n"},
      {{"status", "all"}, "fwctl: usage: fwctl status [verbose|numbered]\n"},
      {{"list", "x"}, "fwctl: usage: fwctl list\n"},
      {{"stats", "x"}, "fwctl: usage: fwctl stats\n"},
      {{"allow"}, "fwctl: usage: fwctl allow RULE\n"},
      {{"add"}, "fwctl: usage: fwctl add RULE\n"},
      {{"insert", "1"}, "fwctl: usage: fwctl insert N RULE\n"},
      {{"insert", "0", "allow", "80"},
       "fwctl: usage: fwctl insert N RULE, where N is the number that the rule will have, from "
       "1\n"},
      {{"insert", "allow", "80"},
       "fwctl: usage: fwctl insert N RULE, where N is the number that the rule will have, from "
       "1\n"},
      {{"delete"}, "fwctl: usage: fwctl delete N|ID|RULE\n"},
      {{"set"}, "fwctl: usage: fwctl set add|remove|list NAME [ADDR...]\n"},
      {{"set", "add", "peers"}, "fwctl: usage: fwctl set add|remove|list NAME [ADDR...]\n"},
      {{"set", "drop", "peers", "192.0.2.1"},
       "fwctl: usage: fwctl set add|remove|list NAME [ADDR...]\n"},
      {{"set", "list", "a", "b"}, "fwctl: usage: fwctl set list [NAME]\n"},
      {{"check"}, "fwctl: usage: fwctl check FILE\n"},
      {{"apply", "a", "b"}, "fwctl: usage: fwctl apply FILE\n"},
      {{"enable", "now"}, "fwctl: usage: fwctl enable\n"},
      {{"mode", "audit"}, "fwctl: usage: fwctl mode [observe|enforce]\n"},
      {{"mode", "observe", "now"}, "fwctl: usage: fwctl mode [observe|enforce]\n"},
      {{"--sock", "x"}, "fwctl: unknown option \"--sock\": did you mean \"--socket\"?\n"},
  };
  for (const Case& c : cases) {
    FakeDaemon daemon;
    const Output output = daemon.run(c.arguments);
    CHECK(output.notes == c.notes);
    CHECK(output.text.empty());
    CHECK(output.status == 2);
    CHECK(daemon.asked.empty());
  }
}

TEST_CASE("without a command there is help, and exit status 2") {
  FakeDaemon daemon;
  const Output output = daemon.run({});
  CHECK(output.notes == help_text());
  CHECK(output.status == 2);
}

TEST_CASE("help and the version need no daemon") {
  FakeDaemon daemon;
  CHECK(daemon.run({"--help"}).text == help_text());
  CHECK(daemon.run({"help"}).text == help_text());
  CHECK(daemon.run({"insert", "--help"}).text ==
        "usage: fwctl [--socket PATH] [--json] insert N RULE\n\nAdd a rule so that it has the "
        "number N.\n");
  CHECK(daemon.run({"help", "insert"}).text == daemon.run({"insert", "--help"}).text);
  CHECK(daemon.run({"help", "nothing"}).status == 2);
  CHECK(daemon.run({"--version"}).text == "fwctl " FWD_VERSION "\n");
  CHECK(daemon.run({"version"}).text == daemon.run({"--version"}).text);
  CHECK(daemon.asked.empty());
}

TEST_CASE("every command is in the help with a line of its own") {
  for (const Command& command : commands()) {
    CHECK(help_text().find("\n  " + std::string(command.synopsis) + ' ') != std::string::npos);
    CHECK(command.synopsis.starts_with(command.name));
  }
}

TEST_CASE("the socket is the option's, else the default") {
  FakeDaemon daemon;
  daemon.run({"list"});
  CHECK(daemon.socket == "/default.sock");
  daemon.run({"list", "--socket", "/other.sock"});
  CHECK(daemon.socket == "/other.sock");
}

TEST_CASE("the exit status is that of the daemon's error code") {
  struct Case {
    api::ErrorCode code;
    int status;
  };
  const Case cases[] = {{api::ErrorCode::Refused, 1}, {api::ErrorCode::NotFound, 1},
                        {api::ErrorCode::Syntax, 2},  {api::ErrorCode::NotPermitted, 4},
                        {api::ErrorCode::Busy, 1},    {api::ErrorCode::Internal, 1}};
  for (const Case& c : cases) {
    FakeDaemon daemon;
    daemon.status = api::http_status(c.code);
    daemon.body = error_body(c.code, "no");
    const Output text = daemon.run({"list"});
    CHECK(text.status == c.status);
    CHECK(text.notes == "fwctl: no\n");
    const Output json = daemon.run({"list", "--json"});
    CHECK(json.status == c.status);
    CHECK(json.text == daemon.body + '\n');
    CHECK(json.notes.empty());
  }
}

TEST_CASE("with --json an error of fwctl's own is JSON too") {
  FakeDaemon daemon;
  CHECK(daemon.run({"--json", "xyzzy"}).text ==
        error_body(api::ErrorCode::BadRequest, "unknown command \"xyzzy\": see fwctl help") + '\n');
  CHECK(daemon.run({"--json", "--xyzzy"}).text ==
        error_body(api::ErrorCode::BadRequest, "unknown option \"--xyzzy\"") + '\n');
  daemon.running = false;
  CHECK(daemon.run({"--json", "list"}).text ==
        error_body(api::ErrorCode::Unreachable, "no answer") + '\n');
  CHECK(daemon.run({"--json", "list"}).status == 3);
}

TEST_CASE("an answer that isn't understood is an error, and passed on with --json") {
  FakeDaemon daemon;
  CHECK(daemon.run({"list"}).notes ==
        "fwctl: fwd's answer isn't understood, is it of another version? rules: is missing\n");
  CHECK(daemon.run({"list"}).status == 1);
  CHECK(daemon.run({"list", "--json"}).status == 0);
}

TEST_CASE("adding a rule shows it with its warnings, and adding it again is done too") {
  FakeDaemon daemon;
  const rules::Diagnostic warning{
      rules::Severity::Warning, {"policy.fw", 4, 1, 5, "allow"}, "never decides", {}, {}};
  daemon.body = api::encode(api::RuleAdded{web_rule(), false, 0, {warning}});
  const Output added = daemon.run({"allow", "80/tcp", "comment", "web"});
  CHECK(added.text == "Rule added: 3  9c1f02ab5d3e7a10  allow in 80/tcp comment \"web\"\n");
  CHECK(added.notes == rules::render(warning));
  CHECK(added.status == 0);
  daemon.body = api::encode(api::RuleAdded{web_rule(), true, 0, {}});
  const Output again = daemon.run({"allow", "80/tcp", "comment", "web"});
  CHECK(again.text == "Already there: 3  9c1f02ab5d3e7a10  allow in 80/tcp comment \"web\"\n");
  CHECK(again.status == 0);
  CHECK(daemon.run({"insert", "3", "allow", "80/tcp"}).text == again.text);
}

TEST_CASE("a rule that is there already isn't moved, and that is said") {
  FakeDaemon daemon;
  daemon.body = api::encode(api::RuleAdded{web_rule(), true, 0, {}});
  const Output inserted = daemon.run({"insert", "1", "allow", "80/tcp"});
  CHECK(inserted.text == "Already there, as rule 3; not moved (delete it first to move it)\n");
  CHECK(inserted.status == 0);
}

TEST_CASE("a rule with a new comment is told as updated") {
  FakeDaemon daemon;
  daemon.body = api::encode(api::RuleAdded{web_rule(), true, 0, {}, true});
  CHECK(daemon.run({"allow", "80/tcp", "comment", "web"}).text ==
        "Rule updated: 3  9c1f02ab5d3e7a10  allow in 80/tcp comment \"web\"\n");
  CHECK(daemon.run({"insert", "1", "allow", "80/tcp", "comment", "web"}).text ==
        "Rule updated: 3  9c1f02ab5d3e7a10  allow in 80/tcp comment \"web\"; not moved (delete it "
        "first to move it)\n");
}

TEST_CASE("a rule that can't go through JSON unchanged isn't sent") {
  FakeDaemon daemon;
  const Output output = daemon.run({"allow", "80", "comment", "\xff"});
  CHECK(output.status == 2);
  CHECK(output.notes.starts_with("command line:1:18: error: "));
  CHECK(daemon.asked.empty());
}

TEST_CASE("removing shows what is gone") {
  FakeDaemon daemon;
  daemon.body = api::encode(api::RuleRemoved{web_rule()});
  CHECK(daemon.run({"remove", "3"}).text ==
        "Rule removed: 3  9c1f02ab5d3e7a10  allow in 80/tcp comment \"web\"\n");
}

TEST_CASE("changing a set says how much is in it now") {
  FakeDaemon daemon;
  const api::Set set{"peers", api::SetKind::Addresses, {"192.0.2.1"}, "policy.fw", 1};
  daemon.body = api::encode(api::SetChanged{set.name, set.members.size(), false});
  CHECK(daemon.run({"set", "add", "peers", "192.0.2.1"}).text == "Done: set peers has 1 entry\n");
  daemon.body = api::encode(api::SetChanged{set.name, set.members.size(), true});
  CHECK(daemon.run({"set", "add", "peers", "192.0.2.1"}).text ==
        "Nothing to do: set peers has 1 entry\n");
}

TEST_CASE("status is made of the state and the rules") {
  FakeDaemon daemon;
  daemon.pages = {{"/v1/status", api::encode(api::Status{})},
                  {"/v1/rules", api::encode(api::RuleList{{web_rule()}, {}, {}})}};
  const Output output = daemon.run({"status", "numbered"});
  CHECK(output.status == 0);
  CHECK(output.text.starts_with("Status: inactive"));
  CHECK(output.text.find("[3]  9c1f02ab5d3e7a10  allow in 80/tcp") != std::string::npos);
  CHECK(daemon.asked == std::vector<std::string>{"GET /v1/status ", "GET /v1/rules "});
}

TEST_CASE("enable and disable say what is so now") {
  FakeDaemon daemon;
  daemon.body = api::encode(api::Enabled{true, false, {}});
  CHECK(daemon.run({"enable"}).text == "The firewall is active, now and at every start of fwd.\n");
  daemon.body = api::encode(api::Enabled{true, true, {}});
  CHECK(daemon.run({"enable"}).text ==
        "Nothing to do. The firewall is active, now and at every start of fwd.\n");
  const rules::Diagnostic warning{rules::Severity::Warning, {}, "nothing is let in", {}, {}};
  daemon.body = api::encode(api::Enabled{true, false, {warning}});
  CHECK(daemon.run({"enable"}).notes == "warning: nothing is let in\n");
  CHECK(daemon.run({"enable"}).status == 0);
  daemon.body = api::encode(api::Enabled{false, false, {}});
  CHECK(daemon.run({"disable"}).text ==
        "The firewall is inactive: nothing is filtered until you run fwctl enable.\n");
}

TEST_CASE("mode says what is so now, and what that means") {
  FakeDaemon daemon;
  daemon.body = R"({"mode":"observe","already":false})";
  CHECK(daemon.run({"mode", "observe"}).text ==
        "Nothing is refused until you run fwctl mode enforce; audit records with the reason "
        "\"observe\" tell what would be.\n");
  daemon.body = R"({"mode":"enforce","already":true})";
  CHECK(daemon.run({"mode", "enforce"}).text ==
        "Nothing to do. The policy is enforced, also for connections that are open.\n");
  api::Status status;
  status.mode = "observe";
  daemon.body = api::encode(status);
  CHECK(daemon.run({"mode"}).text == "observe\n");
}

TEST_CASE("root can disable the firewall without a daemon, nobody else can") {
  FakeDaemon daemon;
  daemon.running = false;
  CHECK(daemon.run({"disable"}).status == 0);
  CHECK(daemon.run({"disable"}).text == "fwd: disabled\n");
  CHECK(daemon.run({"disable", "--json"}).text ==
        "{\"enabled\":false,\"already\":false,\"warnings\":[]}\n");
  CHECK(daemon.run({"disable", "--json"}).notes == "fwd: disabled\n");
  daemon.disabled = {5, ""};
  CHECK(daemon.run({"disable"}).status == 5);
  CHECK(daemon.run({"disable"}).text.empty());
  daemon.root = false;
  CHECK(daemon.run({"disable"}).status == 3);
  CHECK(daemon.run({"disable"}).notes == "fwctl: no answer\n");
  CHECK(daemon.run({"enable"}).status == 3);
}
