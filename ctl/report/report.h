// What an audit log adds up to. Tally makes one of records, render_page() a page of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/time_text.h"

namespace ctl::report {

// Why connections were denied. `Observed` ones weren't, because the policy was only observed.
enum class Cause : std::uint8_t { Default, Rule, RateLimit, Revoked, Invalid, Other, Observed };
inline constexpr std::size_t kCauses = 7;

using ByCause = std::array<std::uint64_t, kCauses>;

struct Ranked {
  std::string name;
  std::string detail;
  std::uint64_t count = 0;
};

struct Service {
  std::string name;  // "https", "9000/udp", "icmp"; " out" where this host connects
  std::uint64_t accepted = 0;
  std::uint64_t denied = 0;
  std::uint64_t bytes = 0;                 // both ways, of connections that ended
  std::vector<std::uint64_t> accepted_in;  // each slot
  std::vector<std::uint64_t> denied_in;
};

// Something on the line of time.
struct Episode {
  enum class Kind : std::uint8_t { Copy, Down, Missing, Change, Refused, Other };
  Kind kind = Kind::Other;
  Time begin;
  Time end;  // the same where it has no length
  std::string host;
  std::string text;
};

struct Heat {
  std::vector<std::string> sources;
  std::vector<std::string> services;
  std::vector<std::vector<std::uint64_t>> denied;  // by source, then service
};

struct Report {
  Time from;
  Time to;
  std::vector<std::string> hosts;

  std::uint64_t accepted = 0;
  std::uint64_t denied = 0;
  std::uint64_t undecided = 0;  // by fwd: another part of the kernel had the last word
  ByCause causes{};

  // decided() == written + folded + lost
  std::uint64_t written = 0;
  std::uint64_t folded = 0;
  std::uint64_t lost = 0;
  std::uint64_t decided() const { return written + folded + lost; }

  std::uint64_t lines = 0;          // in the time of the report
  std::uint64_t outside = 0;        // lines before or after it
  std::uint64_t foreign = 0;        // lines that are no records: torn, or somebody else's
  std::uint64_t missing_lines = 0;  // by their sequences

  std::uint64_t copy_packets = 0;  // that the kernel's copy decided, by episodes
  std::uint64_t copy_allowed = 0;
  std::uint64_t copy_denied = 0;

  // Slots of equal length, from the one that has `from` to the one that has `to`.
  std::chrono::seconds slot{1};
  Time first_slot;
  std::vector<ByCause> denied_in;

  std::vector<Service> services;  // the busiest, then all others as one, where there are some
  std::uint64_t sources = 0;      // that were denied something
  std::uint64_t shortfall = 0;    // of counts by source, the most that they may be too low
  std::vector<Ranked> top_sources;
  std::vector<Ranked> top_services;  // denied
  std::vector<Ranked> top_rules;     // denied by
  Heat heat;

  std::vector<Episode> episodes;  // in the log's order
  std::uint64_t more_episodes = 0;
};

std::string_view label(Cause cause);
std::string_view label(Episode::Kind kind);

}  // namespace ctl::report
