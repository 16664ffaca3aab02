#include "fwd/audit/frames.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include "fwd/audit/ecs.h"
#include "fwd/audit/eve.h"
#include "tests/fwd/audit/records.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;

template <typename Encoder>
std::string line(const std::string& comment = "replication") {
  const PolicyNames names(policy(comment), 7);
  std::string out;
  Encoder("web01", interface_name).append(out, denied(), {}, &names, 18231);
  return out;
}

std::string entry(std::string_view line) {
  std::string out;
  append_journal_entry(out, line);
  return out;
}

std::string message(std::string_view line, std::string_view host = "web01") {
  std::string out;
  SyslogMessage(host, 10).append(out, line);
  return out;
}

}  // namespace

TEST_CASE("a journal entry has the record for a person, its own fields and the line") {
  const std::string text = line<EcsEncoder>();
  CHECK(entry(text) ==
        "MESSAGE=drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10\n"
        "PRIORITY=6\n"
        "SYSLOG_IDENTIFIER=fwd\n"
        "MESSAGE_ID=0d6a1f5b4ac94b0f9a3dd1a7c1f0b7e1\n"
        "FWD_SEQUENCE=18231\n"
        "FWD_DATASET=fwd.verdict\n"
        "FWD_ACTION=drop\n"
        "FWD_REASON=rule\n"
        "FWD_RULE_ID=9c1f02ab5d3e7a10\n"
        "FWD_SOURCE_IP=203.0.113.7\n"
        "FWD_DESTINATION_IP=10.0.0.11\n"
        "FWD_RECORD=" +
            text);
}

TEST_CASE("a journal entry is the same in either format but for the line") {
  const auto before_record = [](const std::string& entry) {
    return entry.substr(0, entry.find("FWD_RECORD"));
  };
  CHECK(before_record(entry(line<EveEncoder>())) == before_record(entry(line<EcsEncoder>())));
}

TEST_CASE("no text from outside can forge a field of a journal entry") {
  const std::string text = entry(line<EcsEncoder>("x\nFWD_ACTION=accept\n\"action\":\"accept\""));
  CHECK(text.find("\nFWD_ACTION=accept") == std::string::npos);
  CHECK(text.find("\nFWD_ACTION=drop\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 12);
}

TEST_CASE("quotes are plain in a journal entry's message, control characters stay escaped") {
  std::string text;
  EcsEncoder("web01", interface_name)
      .append(text, HealthEvent{HealthType::Info, "x", "a \"b\" \\ \n c"}, kTime_ns, 1, {});
  CHECK(entry(text).starts_with("MESSAGE=a \"b\" \\ \\n c\nPRIORITY=5\n"));
}

TEST_CASE("a syslog message is RFC 5424 with the line as its text") {
  const std::string pid = std::to_string(getpid());
  std::string text = line<EcsEncoder>();
  const std::string without_end = text.substr(0, text.size() - 1);
  CHECK(message(text) ==
        "<86>1 2026-08-20T10:15:30.123456Z web01 fwd " + pid + " fwd.verdict - " + without_end);
  CHECK(message(line<EveEncoder>()).starts_with("<86>1 2026-08-20T10:15:30.123456Z web01 fwd "));
  std::string gap;
  EcsEncoder("web01", interface_name).append(gap, Gap{}, kTime_ns, 1);
  CHECK(message(gap).starts_with("<84>1 "));
  CHECK(message(gap).find(" fwd.audit_gap - {") != std::string::npos);
}

TEST_CASE("a host's name that a syslog header can't have is changed") {
  const std::string text = line<EcsEncoder>();
  CHECK(message(text, "we b\n01").find("Z we?b?01 fwd ") != std::string::npos);
  CHECK(message(text, "").find("Z - fwd ") != std::string::npos);
  CHECK(message(text, std::string(300, 'x')).find(" " + std::string(255, 'x') + " fwd ") !=
        std::string::npos);
}
