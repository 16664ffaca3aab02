// A line of the audit log as the receivers beside the file want it. Made from the line's own text, so
// that they have the same words in either format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fwd::audit {

// An entry of systemd's journal in its native protocol: KEY=value and a line end for each field
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). MESSAGE is the record for a person, FWD_RECORD the
// whole line. No value has a line end, since no line of ours has one within.
void append_journal_entry(std::string& out, std::string_view line);

// RFC 5424: header, no structured data, and the line as message. MSGID is the dataset.
class SyslogMessage {
 public:
  // `facility` as in RFC 5424, 6.2.1.
  SyslogMessage(std::string_view hostname, std::uint8_t facility);

  void append(std::string& out, std::string_view line) const;

 private:
  std::string hostname_;
  std::string process_id_;
  std::uint8_t facility_;
};

}  // namespace fwd::audit
