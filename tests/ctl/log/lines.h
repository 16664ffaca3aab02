// Lines as the daemon writes them to the audit log, for tests of their readers.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

namespace ctl::log {

struct Line {
  std::uint64_t sequence = 1;
  std::string time = "2026-08-20T10:15:30.123456Z";
  std::string action = "drop";
  std::string reason = "rule";
  std::string source = R"("source":{"ip":"203.0.113.7","port":51514},)";
  std::string destination = R"("destination":{"ip":"10.0.0.11","port":3306},)";
  std::string transport = "tcp";
  std::string direction = "ingress";
  std::string rule =
      R"({"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"})";
  std::string own = R"("queue":0)";  // under "fwd"

  std::string text() const {
    return fmt::format(
        R"({{"@timestamp":"{}","ecs":{{"version":"8.17.0"}},"message":"a verdict","event":{{"kind":"event","category":["network"],)"
        R"("type":["connection"],"action":"{}","outcome":"success","dataset":"fwd.verdict","sequence":{},"reason":"{}","duration":46000}},)"
        R"("rule":{},"observer":{{"hostname":"web01","type":"firewall","ingress":{{"interface":{{"name":"eth0"}}}}}},)"
        R"("network":{{"type":"ipv4","transport":"{}","iana_number":"6","direction":"{}"}},{}{})"
        R"("fwd":{{"hook":"input",{},"decided_by":"daemon","prev":"00","hash":"00"}}}})"
        "\n",
        time, action, sequence, reason, rule, transport, direction, source, destination, own);
  }
};

// Many decisions of one source, or of many where `source` is empty.
inline Line folded(std::uint64_t sequence, std::uint64_t packets) {
  Line line{.sequence = sequence};
  line.source = R"("source":{"ip":"203.0.113.7"},)";
  line.destination.clear();
  line.own = fmt::format(R"("packets":{})", packets);
  return line;
}

// The end of an accepted connection.
inline std::string ended(std::uint64_t sequence, std::uint64_t sent, std::uint64_t received) {
  Line line{.sequence = sequence};
  line.action = "end";
  line.source =
      fmt::format(R"("source":{{"ip":"203.0.113.7","port":51514,"bytes":{},"packets":3}},)", sent);
  line.destination = fmt::format(
      R"("destination":{{"ip":"10.0.0.11","port":3306,"bytes":{},"packets":3}},)", received);
  std::string text = line.text();
  text.replace(text.find("fwd.verdict"), 11, "fwd.flow");
  const std::string start = R"("duration":)";
  return text.insert(text.find(start), R"("start":"2026-08-20T10:14:00.000000Z",)");
}

// Of another dataset. `own` stands under "fwd", `event` in the event.
inline std::string happening(std::uint64_t sequence, const std::string& dataset,
                             const std::string& action, const std::string& message,
                             const std::string& own = R"("x":0)",
                             const std::string& event = R"("reason":"")",
                             const std::string& time = "2026-08-20T10:15:31.000000Z") {
  return fmt::format(
      R"({{"@timestamp":"{}","ecs":{{"version":"8.17.0"}},"message":"{}","event":{{"kind":"event","category":["process"],)"
      R"("type":["info"],"action":"{}","dataset":"{}","sequence":{},{}}},"observer":{{"hostname":"web01","type":"firewall"}},)"
      R"("fwd":{{{},"prev":"00","hash":"00"}}}})"
      "\n",
      time, message, action, dataset, sequence, event, own);
}

}  // namespace ctl::log
