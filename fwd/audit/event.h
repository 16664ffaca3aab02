// What the audit log says besides decisions: records that are missing, and what happened to the
// daemon itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fwd::audit {

enum class GapReason : std::uint8_t {
  RingFull,    // the writer was slower than the worker
  DiskFull,    // the file couldn't grow, so the ring filled up
  WriteError,  // likewise, for any other reason
  TornLine,    // the last line of an earlier daemon was incomplete
  Killed,      // an earlier daemon ended before it could write them
};

// Decisions without a record. Times in ns since 1970.
struct Gap {
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::uint64_t count = 0;
  GapReason reason = GapReason::RingFull;
};

enum class HealthType : std::uint8_t { Start, End, Info };  // ECS event.type

struct HealthEvent {
  HealthType type = HealthType::Info;
  std::string action;       // one word: "start", "stop", "rotate", "fallback"
  std::string message;      // for a person
  std::string reason = {};  // one word; empty where there is none
  std::optional<std::uint64_t> packets = std::nullopt;
  // Of these packets, what the kernel's copy of the policy did with them.
  struct ByCopy {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t metered = 0;
    std::uint64_t shed = 0;
  };
  std::optional<ByCopy> by_copy = std::nullopt;
  std::optional<std::uint64_t> missed = std::nullopt;  // lines that an output didn't get
  bool checkpoint = false;                             // tells what all lines before it add up to
};

// A change of the firewall through the API, or one that was refused.
struct AdminEvent {
  struct Actor {
    std::optional<std::uint32_t>
        uid;           // absent where it is several users; then nothing else is known
    std::string user;  // empty where the host has no name for it
    std::int32_t pid = 0;
    std::string command;
    std::optional<std::uint32_t> login_uid;  // who has logged in, whoever they have become since
    std::optional<std::uint32_t> sudo_uid;   // as the client says
  };
  struct Point {
    std::uint64_t generation = 0;
    std::string policy_hash;
  };

  std::string action;  // "add_rule"
  std::string change;  // for a person: "added rule 3: allow in 80/tcp"
  Actor actor;
  Point before;
  Point after;
  std::string refusal;         // why nothing was changed; empty where it was
  std::uint64_t requests = 1;  // that it tells of: refused ones may be told together
};

// What the lines of the log say, over all its files: decided == written + folded + lost + waiting.
struct Checkpoint {
  std::uint64_t decided = 0;
  std::uint64_t written = 0;
  std::uint64_t folded = 0;
  std::uint64_t lost = 0;     // and told
  std::uint64_t waiting = 0;  // for a line
};

}  // namespace fwd::audit
