// A line of the audit log as fwd-audit(5) describes it. Parser::parse() is the way in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "ctl/time_text.h"

namespace ctl::log {

enum class Dataset : std::uint8_t { Verdict, Flow, Gap, Admin, Health, Other };

// What became of the packet. `Other`: of no verdict, or of one that another part of the kernel was
// to give.
enum class Verdict : std::uint8_t { Accepted, Denied, Other };

struct Endpoint {
  std::string_view ip;  // empty: the record has none
  std::optional<std::uint16_t> port;
};

// Texts are empty where the record has none. They are foreign: rule comments and interface names
// contain anything but what isn't UTF-8.
struct Record {
  Time time;
  std::uint64_t sequence = 0;
  Dataset dataset = Dataset::Other;
  std::string_view message;
  std::string_view action;
  std::string_view outcome;
  std::string_view reason;
  std::string_view host;

  // Of a verdict, and of a connection's end as far as it has them.
  Verdict verdict = Verdict::Other;
  std::string_view would;  // what observe mode kept from being done
  std::string_view rule_id;
  std::string_view rule_name;
  std::string_view ruleset;
  std::string_view protocol;
  std::string_view direction;  // ingress, egress
  std::string_view interface_name;
  Endpoint source;
  Endpoint destination;
  std::optional<std::uint64_t> icmp_type;
  bool folded = false;   // it stands for several decisions
  Time first;            // of them
  bool by_copy = false;  // the kernel decided

  // Of a connection's end: IP bytes that each end has sent. Nothing where the kernel hasn't counted them.
  std::optional<std::uint64_t> source_bytes;
  std::optional<std::uint64_t> destination_bytes;

  // Decisions that a verdict tells of, connections that ended, records that a gap misses, packets that a health record is
  // about.
  std::uint64_t count = 0;
  // Of a recovery from the kernel's copy, what became of these packets.
  std::uint64_t allowed = 0;
  std::uint64_t denied = 0;

  bool denied_or_would_be() const { return verdict == Verdict::Denied || !would.empty(); }
};

class Parser {
 public:
  Parser();
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Nothing where the line is no record of fwd's: torn, or somebody else's. What is given back points into the parser,
  // until the next call.
  std::optional<Record> parse(std::string_view line);

 private:
  struct Json;
  std::unique_ptr<Json> json_;
};

}  // namespace ctl::log
