#include "fwd/audit/frames.h"

#include <array>

#include <unistd.h>

#include "fwd/audit/json.h"

namespace fwd::audit {
namespace {

constexpr std::uint8_t kWarning = 4;
constexpr std::uint8_t kNotice = 5;
constexpr std::uint8_t kInfo = 6;

struct Kind {
  std::string_view dataset;
  std::uint8_t severity;        // RFC 5424, 6.2.1
  std::string_view message_id;  // of the journal's catalogue; never to be changed
};

constexpr std::array kKinds = {
    Kind{"fwd.verdict", kInfo, "0d6a1f5b4ac94b0f9a3dd1a7c1f0b7e1"},
    Kind{"fwd.flow", kInfo, "5c6e2e1c2d0146f2a9a8f9a1b7ce84d2"},
    Kind{"fwd.audit_gap", kWarning, "b1f4c2a96d7e4b6d8c5b1a0e7f3392c3"},
    Kind{"fwd.admin", kNotice, "e7a30c5d91b24f37b8d26c4f5a1e60b4"},
    Kind{"fwd.health", kNotice, "3f9d84b7a6c04e15a1c7e2d95b08f6a5"},
};

const Kind& kind_of(std::string_view dataset) {
  for (const Kind& kind : kKinds) {
    if (kind.dataset == dataset) return kind;
  }
  return kKinds.back();
}

// The text of a member as it stands in the line. Quotes within a string are escaped, so that a key is
// found only where it is one.
std::string_view text_after(std::string_view line, std::string_view key) {
  const auto at = line.rfind(key);
  if (key.empty() || at == std::string_view::npos) return {};
  const auto text = line.substr(at + key.size());
  std::size_t end = 0;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return text.substr(0, end);
}

std::string_view digits_after(std::string_view line, std::string_view key) {
  const auto at = line.rfind(key);
  if (at == std::string_view::npos) return {};
  const auto text = line.substr(at + key.size());
  return text.substr(0, text.find_first_not_of("0123456789"));
}

// What JSON alone needs escaped is written plainly; control characters and the like stay as they
// are.
void append_plain(std::string& out, std::string_view escaped) {
  for (std::size_t at = 0; at < escaped.size(); ++at) {
    const bool pair = escaped[at] == '\\' && at + 1 < escaped.size();
    if (pair && (escaped[at + 1] == '"' || escaped[at + 1] == '\\')) ++at;
    out.push_back(escaped[at]);
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).push_back('=');
  append_plain(out, value);
  out.push_back('\n');
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

// Where a field is in ECS, and in EVE.
struct Member {
  std::string_view name;
  std::string_view ecs;
  std::string_view eve;
};
constexpr std::array kMembers = {
    Member{"FWD_DATASET", R"("dataset":")", {}},
    Member{"FWD_ACTION", R"("action":")", {}},
    Member{"FWD_REASON", R"("reason":")", {}},
    Member{"FWD_RULE_ID", R"("rule":{"id":")", {}},
    Member{"FWD_SOURCE_IP", R"("source":{"ip":")", R"("src_ip":")"},
    Member{"FWD_DESTINATION_IP", R"("destination":{"ip":")", R"("dest_ip":")"},
};

// The first value of every line is its time: of both formats this much is the same.
std::string_view time_of(std::string_view line) {
  constexpr std::string_view kBefore = "\":\"";
  constexpr std::size_t kMicroseconds = 26;  // "2026-08-20T10:15:30.123456"
  const auto at = line.find(kBefore);
  return at == std::string_view::npos ? "" : line.substr(at + kBefore.size(), kMicroseconds);
}

// PRINTUSASCII of at most 255 characters, or "-" (RFC 5424, 6.2.4).
std::string header_word(std::string_view text) {
  constexpr std::size_t kMost = 255;
  std::string word;
  for (const char letter : text.substr(0, kMost)) {
    word.push_back(letter > ' ' && letter < '\x7f' ? letter : '?');
  }
  return word.empty() ? "-" : word;
}

}  // namespace

void append_journal_entry(std::string& out, std::string_view line) {
  line = without_line_end(line);
  const Kind& kind = kind_of(text_after(line, R"("dataset":")"));
  append_field(out, "MESSAGE", text_after(line, R"("message":")"));
  json::append_number(out.append("PRIORITY="), kind.severity);
  out.append("\nSYSLOG_IDENTIFIER=fwd\nMESSAGE_ID=").append(kind.message_id).push_back('\n');
  append_field(out, "FWD_SEQUENCE", digits_after(line, R"("sequence":)"));
  for (const Member& member : kMembers) {
    const auto value = text_after(line, member.ecs);
    append_field(out, member.name, value.empty() ? text_after(line, member.eve) : value);
  }
  out.append("FWD_RECORD=").append(line).push_back('\n');
}

SyslogMessage::SyslogMessage(std::string_view hostname, std::uint8_t facility)
    : hostname_(header_word(hostname)),
      process_id_(std::to_string(getpid())),
      facility_(facility) {}

void SyslogMessage::append(std::string& out, std::string_view line) const {
  constexpr unsigned kSeverities = 8;
  line = without_line_end(line);
  const std::string_view dataset = text_after(line, R"("dataset":")");
  json::append_number(out.append("<"), facility_ * kSeverities + kind_of(dataset).severity);
  out.append(">1 ").append(time_of(line)).append("Z ").append(hostname_);
  out.append(" fwd ").append(process_id_).append(" ");
  out.append(dataset.empty() ? "-" : dataset).append(" - ").append(line);
}

}  // namespace fwd::audit
