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

struct SetChanged {
  Set set;
  bool already = false;
};

}  // namespace ctl::api
