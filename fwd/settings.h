// What the administrator may set in fwd.toml: read once at start, immutable afterwards.
// read_settings() is the way in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fwd/audit/format.h"
#include "fwd/kernel/marks.h"
#include "fwd/kernel/table.h"
#include "fwd/log.h"
#include "fwd/metrics/endpoint.h"
#include "fwd/system_error.h"

namespace fwd {

struct AuditSettings {
  audit::Format format = audit::Format::Ecs;
  std::size_t ring_records = 8192;  // between one worker and the writer; a power of two
  // Of allowed and of refused connections each; what goes beyond is folded. 0: nothing is.
  std::uint32_t fold_above = 1000;
  bool block_when_full = false;   // new connections that there is no room to record
  std::uint64_t rotate_size = 0;  // in bytes; 0: others rotate
  std::uint32_t keep = 30;        // rotated files
  bool flows = true;              // a record of each connection's end
  // Sockets of receivers beside the file; empty: none.
  std::string journal;
  std::string syslog;
  std::uint8_t syslog_facility = 10;  // authpriv; RFC 5424, 6.2.1
};

struct ControlSettings {
  std::string admin_group = "fwd-admin";  // may change
  std::string read_group = "fwd-read";    // may only read
};

struct MetricsSettings {
  std::optional<metrics::Endpoint> listen = std::nullopt;
  std::string textfile = {};  // absolute; empty: none
  std::chrono::seconds textfile_interval{15};
};

struct Settings {
  kernel::QueueRange queues;          // default: one queue per processor
  std::uint32_t queue_length = 4096;  // packets the kernel holds for one queue
  kernel::CtMark ct_mark;
  std::uint16_t nflog_group = 4789;
  std::chrono::milliseconds lease{
      3000};                          // after that time without renewal the kernel's copy decides
  std::uint32_t shed_above = 10'000;  // packets a second of one source to one queue; 0: any number
  LogLevel log_level = LogLevel::Info;
  AuditSettings audit;
  ControlSettings control;
  MetricsSettings metrics;
};

// `state_directory` may be relative.
kernel::TableSettings table_settings(const Settings& settings, const std::string& state_directory);

// A queue range holds at most this many queues: each has a thread of its own.
inline constexpr unsigned kMostQueues = 64;

// "0:3" or "2"; nothing when it isn't a range of at most kMostQueues queues.
std::optional<kernel::QueueRange> parse_queues(std::string_view text);

// The defaults on this machine.
Settings default_settings();

// `name` is shown in errors: "fwd.toml:3: unknown key "quues" (known: audit.ring_records, ...)".
Result<Settings> parse_settings(std::string_view text, const std::string& name);

// An absent file is all defaults.
Result<Settings> read_settings(const std::string& path);

}  // namespace fwd
