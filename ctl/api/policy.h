// Bodies of /v1/policy, /v1/check and /v1/sets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/diagnostic.h"

namespace ctl::api {

// A policy as text: the main file, and its includes by the names that the include statements find,
// relative to the main file's folder.
struct Sources {
  rules::Source main;
  std::vector<rules::Source> includes;
};

// GET /v1/policy
struct PolicyText {
  Sources sources;
  std::string hash;
};

// POST /v1/check
struct Checked {
  std::uint64_t rules = 0;
  std::uint64_t sets = 0;
  std::vector<rules::Diagnostic> warnings;
};

// PUT /v1/policy
struct Applied {
  std::uint64_t generation = 0;
  std::uint64_t rules = 0;
  std::vector<rules::Diagnostic> warnings;
  bool already = false;
  std::uint64_t cut = 0;  // live connections that the policy before allowed
};

struct Connection {
  std::string direction;    // in, out
  std::string protocol;     // tcp
  std::string source;       // who opened it: 192.0.2.7:51514, [2001:db8::7]:51514
  std::string destination;  // likewise
  std::string rule;         // what denies it: a rule's id, or "default"
};

// POST /v1/diff?from=SOURCE&to=DESTINATION, with Sources: what PUT /v1/policy would change. The connection between
// these two, written as in Connection, is named first.
struct Diff {
  std::vector<std::string> removed;  // lines of the canonical policy
  std::vector<std::string> added;
  bool reordered = false;
  std::uint64_t cut = 0;                // live connections that it would cut
  std::vector<Connection> connections;  // at most 1000 of them
  std::vector<rules::Diagnostic> warnings;
  bool text_differs = false;  // of any of the files: also by a comment, an `expect` or a blank
};

enum class SetKind : std::uint8_t { Addresses, Ports };

// GET /v1/sets/NAME
struct Set {
  std::string name;
  SetKind kind = SetKind::Addresses;
  std::vector<std::string> members;
  std::string file;
  std::uint64_t line = 0;
};

// GET /v1/sets
struct SetList {
  std::vector<Set> sets;
};

// POST /v1/sets/NAME: one of the two
struct ChangeSet {
  std::optional<std::vector<std::string>> add;
  std::optional<std::vector<std::string>> remove;
};

// Without the members, of which there may be a million.
struct SetChanged {
  std::string set;            // its name
  std::uint64_t entries = 0;  // as GET lists them
  bool already = false;
  std::uint64_t cut = 0;
};

}  // namespace ctl::api
