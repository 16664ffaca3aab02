// Bodies of /v1/rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/diagnostic.h"

namespace ctl::api {

struct Rule {
  std::uint64_t number = 0;  // its place among the policy's rules, from 1; 0 for a built-in rule
  std::string id;            // 16 hex digits; a built-in rule's name
  std::string action;        // allow, deny, reject, limit
  std::string direction;     // in, out
  std::string text;          // the statement as written, without its comment
  std::string canonical;
  std::string log;  // default, always, none, sample
  std::string comment;
  std::string file;
  std::uint64_t line = 0;     // 0 for a built-in rule
  std::uint64_t packets = 0;  // GET /v1/rules: with what the kernel's copy decided by it
  bool builtin = false;
  // With log "sample": one in so many accepted connections is recorded.
  std::optional<std::uint64_t> sample = {};
};

struct Default {
  std::string action;
  std::uint64_t packets = 0;
};

struct Defaults {
  Default in;
  Default out;
};

// GET /v1/rules
struct RuleList {
  std::vector<Rule> rules;  // in order
  std::vector<Rule> builtin;
  Defaults defaults;
};

// POST /v1/rules
struct AddRule {
  std::string rule;                       // one statement
  std::optional<std::uint64_t> position;  // the number it is to have; at the end where absent
};

struct RuleAdded {
  Rule rule;
  bool already = false;   // the rule was there before, `rule` is that one
  std::uint64_t cut = 0;  // live connections that were allowed before
  std::vector<rules::Diagnostic> warnings;
  bool updated = false;  // it was there with another comment or log
};

// DELETE /v1/rules?select=S
struct RuleRemoved {
  Rule rule;
  std::uint64_t cut = 0;
};

}  // namespace ctl::api
