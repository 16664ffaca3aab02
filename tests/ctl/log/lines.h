// Lines as the daemon writes them to the audit log, for tests of their readers.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

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
