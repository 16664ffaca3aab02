// Bodies of /v1/status, /v1/stats, /v1/enable, /v1/disable and /v1/mode.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rules/diagnostic.h"

namespace ctl::api {

struct PolicyStatus {
  std::string file;
  std::string hash;
  std::uint64_t rules = 0;
  std::uint64_t sets = 0;
  std::string loaded;     // RFC 3339
  std::uint64_t cut = 0;  // live connections, when it was put in force
};

struct DefaultActions {
  std::string in;
  std::string out;
};

struct Worker {
  std::uint32_t queue = 0;
  std::uint64_t packets = 0;
  std::uint64_t depth = 0;         // packets that wait now
  std::uint64_t dropped = 0;       // by the kernel, the queue being full
  std::uint64_t user_dropped = 0;  // by the kernel, the socket's buffer being full
  std::uint64_t send_errors = 0;   // verdicts that could not be sent
  std::uint64_t enobufs = 0;
};

struct Queue {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::string expression;  // native, compat
  std::vector<Worker> workers;
};

struct AuditStatus {
  std::string file;
  std::uint64_t written = 0;
  std::uint64_t folded = 0;  // told by records that stand for several
  std::uint64_t lost = 0;
  std::uint64_t waiting = 0;
  std::string trouble;  // what keeps lines from the file; empty where nothing does
};

// What the kernel decided without the daemon: packets since the daemon's start, and what it found then that
// nobody had told.
struct CopyStatus {
  bool active = false;  // now, or within the last seconds
  std::string since;    // RFC 3339; empty unless active
  std::string reason;   // restart, no_answer, buffer_full, queue_full, shed; likewise
  std::uint64_t episodes = 0;
  std::uint64_t packets = 0;
  std::uint64_t allowed = 0;
  std::uint64_t denied = 0;
  std::uint64_t metered = 0;  // left to the meters of limit rules
  std::uint64_t shed = 0;     // of all packets, from sources that sent too much
};

struct Conntrack {
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
};

// GET /v1/status
struct Status {
  std::string version;
  std::uint32_t pid = 0;
  std::uint64_t uptime_seconds = 0;
  std::string mode;  // enforce, observe
  bool enabled = false;
  std::uint64_t generation = 0;
  PolicyStatus policy;
  DefaultActions defaults;
  std::map<std::string, bool> builtins;
  Queue queue;
  CopyStatus kernel_copy;
  AuditStatus audit;
  Conntrack conntrack;
  std::vector<std::string> warnings;
};

struct ActionCounts {
  std::uint64_t allow = 0;
  std::uint64_t deny = 0;
  std::uint64_t reject = 0;
  std::uint64_t limit = 0;
};

struct DirectionCounts {
  ActionCounts in;
  ActionCounts out;
};

struct KernelCopy {
  std::uint64_t allow = 0;
  std::uint64_t deny = 0;
  std::uint64_t limit = 0;
  std::uint64_t shed = 0;
};

struct VerdictTimes {
  double p50 = 0;
  double p99 = 0;
};

// GET /v1/stats. Everything counts from the daemon's start; the kernel's copy also from before, as far as no
// daemon has told it.
struct Stats {
  DirectionCounts packets;
  std::map<std::string, std::uint64_t> reasons;
  KernelCopy kernel_copy;
  std::uint64_t revoked = 0;
  std::vector<Worker> workers;
  VerdictTimes verdict_microseconds;
};

// POST /v1/enable and /v1/disable take an empty object.
struct Nothing {};

struct Enabled {
  bool enabled = false;
  bool already = false;
  std::vector<rules::Diagnostic> warnings;  // of what is in force now
};

// POST /v1/mode
struct ChangeMode {
  std::string mode;
};

struct ModeChanged {
  std::string mode;
  bool already = false;
};

}  // namespace ctl::api
