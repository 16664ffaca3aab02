// What is told to a person about a policy text: where, what, and what to do about it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rules {

// One text as it was handed in. The name is what diagnostics and audit records show ("policy.fw").
struct Source {
  std::string name;
  std::string text;
};

enum class Severity { Error, Warning };

struct Location {
  std::string file;
  std::size_t line = 0;     // from 1; 0 where there is none
  std::size_t column = 0;   // from 1, in bytes
  std::size_t length = 1;   // of the marked token, in bytes
  std::string source_line;  // without its line end
};

// Renders as
//     policy.fw:3:10: error: unknown set "peer"
//     allow in from @peer to any port 3306
//                   ^~~~~
//     hint: did you mean "@peers"?
struct Diagnostic {
  Severity severity = Severity::Error;
  Location where;
  std::string message;
  std::string hint;             // empty where there is none
  std::vector<Location> other;  // further lines it is about, e.g. of the rule that shadows this one
};

std::string render(const Diagnostic& diagnostic);

// Control characters in foreign text are shown as \xNN so that a policy can't drive the reader's terminal.
std::string printable(std::string_view text);

}  // namespace rules
