#include "ctl/render.h"

#include <string>

#include <catch2/catch.hpp>

using namespace ctl;

namespace {

api::RuleList sample_rules() {
  api::RuleList list;
  list.rules = {
      {1, "9c1f02ab5d3e7a10", "allow", "in", "allow in 80,443/tcp",
       "allow in proto tcp from any to any port 80,443", "default", "web", "policy.fw", 12, 1234,
       false},
      {2, "0b4e77aa12cd9f03", "limit", "in", "limit in ssh",
       "limit in proto tcp from any to any port 22 rate 6/30s", "default", "", "policy.d/a.fw", 1,
       7, false},
  };
  list.builtin = {
      {0, "icmp-errors", "allow", "in", "", "allow in proto icmp type 3", "none", "", "", 0, 2,
       true},
      {0, "icmp-errors", "allow", "out", "", "allow out proto icmp type 3", "none", "", "", 0, 0,
       true},
  };
  list.defaults = {{"deny", 55}, {"allow", 10}};
  return list;
}

api::Status sample_status() {
  api::Status s;
  s.version = "0.1.0";
  s.pid = 812;
  s.uptime_seconds = 273'600;
  s.mode = "enforce";
  s.enabled = true;
  s.generation = 7;
  s.policy = {"/etc/fwd/policy.fw", "abcd", 2, 1, "2026-08-20T10:15:30Z"};
  s.defaults = {"deny", "allow"};
  s.builtins = {{"established", true}, {"icmp-errors", true}, {"ping", false}};
  s.queue = {0, 1, "compat", {{0, 100, 1, 0, 0, 0, 0}, {1, 99, 0, 2, 0, 0, 0}}};
  s.audit = {"/var/log/fwd/audit.json", 90, 0, 1, 2, {}};
  s.conntrack = {12, 65536};
  return s;
}

const std::string kNote =
    "Note: accepted means accepted by fwd, another table may still drop; forwarded traffic "
    "(published container ports) isn't filtered yet.\n";

}  // namespace

TEST_CASE("status shows the state, the defaults and the rules with their hits") {
  CHECK(render_status(sample_status(), sample_rules(), Detail::Brief, {}) ==
        "Status: active\n"
        "Default: deny (incoming), allow (outgoing)\n"
        "\n"
        "Rule                 Hits  Comment\n"
        "allow in 80,443/tcp  1234  web\n"
        "limit in ssh            7\n"
        "default deny in        55\n"
        "default allow out      10\n"
        "\n" +
            kNote);
}

TEST_CASE("status numbered adds what a rule can be named by") {
  CHECK(render_status(sample_status(), sample_rules(), Detail::Numbered, {}) ==
        "Status: active\n"
        "Default: deny (incoming), allow (outgoing)\n"
        "\n"
        "     ID                Rule                 Hits  Comment\n"
        "[1]  9c1f02ab5d3e7a10  allow in 80,443/tcp  1234  web\n"
        "[2]  0b4e77aa12cd9f03  limit in ssh            7\n"
        "                       default deny in        55\n"
        "                       default allow out      10\n"
        "\n" +
            kNote);
}

TEST_CASE("status verbose adds the daemon, the built-in rules and the queues") {
  CHECK(render_status(sample_status(), sample_rules(), Detail::Verbose, {}) ==
        "Status: active\n"
        "Default: deny (incoming), allow (outgoing)\n"
        "\n"
        "Daemon         fwd 0.1.0, pid 812, up 3 d 4 h\n"
        "Policy         /etc/fwd/policy.fw: 2 rules, 1 set, loaded 2026-08-20T10:15:30Z\n"
        "Hash           abcd\n"
        "Generation     7\n"
        "Queues         0-1, compat queue expression\n"
        "Kernel's copy  0 episodes, 0 packets\n"
        "Audit          /var/log/fwd/audit.json: 90 written, 0 folded, 1 lost, 2 waiting\n"
        "Conntrack      12 of 65536 entries\n"
        "\n"
        "     ID                Rule                 Hits  Comment  Place\n"
        "[1]  9c1f02ab5d3e7a10  allow in 80,443/tcp  1234  web      policy.fw:12\n"
        "[2]  0b4e77aa12cd9f03  limit in ssh            7           policy.d/a.fw:1\n"
        "                       default deny in        55\n"
        "                       default allow out      10\n"
        "\n"
        "Built-in     State  Rule                         Hits\n"
        "established  on\n"
        "icmp-errors  on     allow in proto icmp type 3      2\n"
        "icmp-errors  on     allow out proto icmp type 3     0\n"
        "ping         off\n"
        "\n"
        "Queue  Packets  Waiting  Dropped, full  Dropped, buffer  Send errors  ENOBUFS\n"
        "    0      100        1              0                0            0        0\n"
        "    1       99        0              2                0            0        0\n"
        "\n" +
            kNote);
}

TEST_CASE("a firewall that is off says so, and warnings stand before the note") {
  api::Status off = sample_status();
  off.enabled = false;
  off.mode = "observe";
  off.warnings = {"ufw is active\033[2J"};
  const std::string text = render_status(off, {}, Detail::Brief, {});
  CHECK(text.starts_with("Status: inactive (nothing is filtered), mode observe\nDefault: "));
  CHECK(text.ends_with("\n\nWarning: ufw is active\\x1b[2J\n" + kNote));
}

TEST_CASE("a firewall that only observes says so below its state") {
  api::Status observing = sample_status();
  observing.mode = "observe";
  CHECK(
      render_status(observing, {}, Detail::Brief, {})
          .starts_with(
              "Status: active, mode observe\n"
              "OBSERVING ONLY: nothing is refused. Run fwctl mode enforce to enforce the policy.\n"
              "Default: "));
}

TEST_CASE("status says since when, why and how much the kernel's copy decides") {
  api::Status status = sample_status();
  status.kernel_copy = {true, "2026-08-20T10:15:30Z", "queue_full", 2, 1200, 200, 990, 10, 0};
  const std::string text = render_status(status, {}, Detail::Brief, {});
  CHECK(text.find(
            "\nKernel's copy: decides since 2026-08-20T10:15:30Z (queue_full); 2 episodes, 1200 "
            "packets: 200 allowed, 990 denied, 10 by limits\n") != std::string::npos);
  status.kernel_copy.active = false;
  status.kernel_copy.shed = 7;
  CHECK(render_status(status, {}, Detail::Brief, {}).find("copy:") == std::string::npos);
  CHECK(
      render_status(status, {}, Detail::Verbose, {})
          .find(
              "\nKernel's copy  2 episodes, 1200 packets: 200 allowed, 990 denied, 10 by limits; 7 "
              "shed\n") != std::string::npos);
}

TEST_CASE("colour surrounds words and never stands inside of what is aligned") {
  const std::string text = render_status(sample_status(), sample_rules(), Detail::Brief, {true});
  CHECK(text.starts_with("Status: \033[32mactive\033[0m\n"));
  CHECK(text.find("\033[32mallow in 80,443/tcp\033[0m  1234  web\n") != std::string::npos);
  CHECK(text.find("\033[31mdefault deny in\033[0m        55\n") != std::string::npos);
  CHECK(text.ends_with("isn't filtered yet.\033[0m\n"));
}

TEST_CASE("list prints statements that may stand in a policy") {
  api::RuleList list = sample_rules();
  list.rules[1].comment = "say \"hi\"";
  CHECK(render_statements(list.rules, {}) ==
        "allow in 80,443/tcp comment \"web\"\nlimit in ssh comment \"say \\\"hi\\\"\"\n");
  CHECK(render_statements({}, {}).empty());
}

TEST_CASE("a rule that was added or removed is shown with number and id") {
  CHECK(render_rule(sample_rules().rules[0], {}) ==
        "1  9c1f02ab5d3e7a10  allow in 80,443/tcp comment \"web\"");
}

TEST_CASE("stats are a few small tables") {
  api::Stats stats;
  stats.packets = {{12, 3, 0, 1}, {8, 0, 2, 0}};
  stats.reasons = {{"default", 3}, {"rule", 23}, {"shed", 0}};
  stats.kernel_copy = {4, 5, 2, 3};
  stats.revoked = 1;
  stats.workers = {{0, 26, 0, 0, 0, 0, 0}};
  stats.verdict_microseconds = {4.12, 20};
  CHECK(render_stats(stats, {}) ==
        "Packets  allow  deny  reject  limit\n"
        "in          12     3       0      1\n"
        "out          8     0       2      0\n"
        "\n"
        "Reason   Packets\n"
        "default        3\n"
        "rule          23\n"
        "\n"
        "Without the daemon  the kernel's copy allowed 4 and denied 5, limits decided 2; 3 were "
        "shed\n"
        "Revoked             1 connection\n"
        "Time to verdict     half within 4.1 us, 99 % within 20.0 us\n"
        "\n"
        "Queue  Packets  Waiting  Dropped, full  Dropped, buffer  Send errors  ENOBUFS\n"
        "    0       26        0              0                0            0        0\n");
}

TEST_CASE("stats of a daemon that has decided nothing leave out what isn't known") {
  CHECK(render_stats({}, {}) ==
        "Packets  allow  deny  reject  limit\n"
        "in           0     0       0      0\n"
        "out          0     0       0      0\n"
        "\n"
        "Without the daemon  the kernel's copy allowed 0 and denied 0\n"
        "Revoked             0 connections\n");
}

TEST_CASE("sets are listed with their size, and one set member by member") {
  const api::Set peers{
      "peers", api::SetKind::Addresses, {"10.0.0.11", "10.0.0.12"}, "policy.fw", 1};
  const api::Set web{"web", api::SetKind::Ports, {"80"}, "policy.d/a.fw", 20};
  CHECK(render_sets({peers, web}, {}) ==
        "Set    Kind       Entries  Place\n"
        "peers  addresses        2  policy.fw:1\n"
        "web    ports            1  policy.d/a.fw:20\n");
  CHECK(render_sets({}, {}) == "The policy has no sets.\n");
  CHECK(render_members(peers) == "10.0.0.11\n10.0.0.12\n");
}

TEST_CASE("an error is told once, by its message or by the diagnostic that repeats it") {
  const rules::Diagnostic placed{
      rules::Severity::Error, {"policy.fw", 1, 7, 2, "allow xy"}, "no such service", {}, {}};
  const std::string shown = "policy.fw:1:7: error: no such service\nallow xy\n      ^~\n";
  CHECK(render_error({api::ErrorCode::Syntax, "no such service", {placed}}) == shown);
  CHECK(render_error({api::ErrorCode::Syntax, "policy.fw:1: no such service", {placed}}) == shown);
  CHECK(render_error({api::ErrorCode::Syntax, "policy.fw:2: no such service", {placed}}) ==
        "fwctl: policy.fw:2: no such service\n" + shown);
  CHECK(render_error({api::ErrorCode::Refused, "already\nthere", {placed}}) ==
        "fwctl: already\\x0athere\n" + shown);
  CHECK(render_error({api::ErrorCode::Syntax, "empty", {}}) == "fwctl: empty\n");
  const rules::Diagnostic anywhere{
      rules::Severity::Error, {}, "there is no rule 9", "the rules are 1 to 5", {}};
  CHECK(render_error({api::ErrorCode::NotFound, "there is no rule 9", {anywhere}}) ==
        "fwctl: error: there is no rule 9\nhint: the rules are 1 to 5\n");
}

TEST_CASE("durations have two units") {
  const auto up = [](std::uint64_t seconds) {
    api::Status s = sample_status();
    s.uptime_seconds = seconds;
    const std::string text = render_status(s, {}, Detail::Verbose, {});
    const std::size_t begin = text.find("up ") + 3;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(up(0) == "0 s");
  CHECK(up(59) == "59 s");
  CHECK(up(60) == "1 min");
  CHECK(up(3'661) == "1 h 1 min");
  CHECK(up(86'400) == "1 d");
}

TEST_CASE("a diff shows lines and the connections it cuts, and marks the user's own") {
  const api::Diff diff{.removed = {"allow in proto tcp from any to any port 22"},
                       .added = {"allow in proto tcp from 192.0.2.0/24 to any port 22"},
                       .reordered = false,
                       .cut = 3,
                       .connections = {{"in", "tcp", "203.0.113.9:5", "10.0.0.1:22", "default"},
                                       {"in", "tcp", "203.0.113.7:6", "10.0.0.1:22", "default"}},
                       .warnings = {}};
  CHECK(render_diff(diff, {"203.0.113.7:6", "10.0.0.1:22"}, {}) ==
        "- allow in proto tcp from any to any port 22\n"
        "+ allow in proto tcp from 192.0.2.0/24 to any port 22\n"
        "3 live connections would be cut:\n"
        "         From           To           Denied by\n"
        "in  tcp  203.0.113.9:5  10.0.0.1:22  default\n"
        "in  tcp  203.0.113.7:6  10.0.0.1:22  default    your own session\n"
        "and 1 more\n");
}

TEST_CASE("a diff of nothing says so") {
  CHECK(render_diff({}, {}, {}) == "No difference.\nNo live connection would be cut.\n");
}

TEST_CASE("a diff of a text that means the same doesn't say that nothing differs") {
  api::Diff diff;
  diff.text_differs = true;
  CHECK(render_diff(diff, {}, {}) ==
        "The rules are the same; comments, expects or layout differ.\n"
        "No live connection would be cut.\n");
  diff.reordered = true;
  CHECK(render_diff(diff, {}, {}) ==
        "The order of rules changes.\nNo live connection would be cut.\n");
}
