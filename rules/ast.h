// The syntax tree: what is written, word by word, before any name is looked up. Words and spans
// point into the document's sources. Made by parse() in rules/parser.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/include.h"
#include "rules/policy.h"
#include "rules/report.h"

namespace rules::ast {

struct Word {
  std::string_view text;
  Span where;
};

struct Endpoint {
  std::optional<Word> address;  // nothing: any
  std::vector<Word> ports;      // nothing: any
};

struct RateClause {
  Rate rate;
  Span where;
};

struct Rule {
  Action action = Action::Deny;
  Direction direction = Direction::In;
  std::optional<Word> interface;
  std::vector<Word> protocols;  // nothing: any
  std::optional<Word> icmp_type;
  Endpoint from;
  Endpoint to;
  std::optional<RateClause> rate;
  Log log;
  std::optional<std::string> comment;
  Span where;      // the statement, without a comment at its end
  Span log_where;  // the clauses, from their keywords on; empty where there are none
  Span comment_where;
};

struct Set {
  Word name;
  std::vector<Word> members;
  Span open;   // the braces
  Span close;  // maybe some lines further down
};

struct Default {
  Action action = Action::Deny;
  Direction direction = Direction::In;
  Span where;
};

struct Builtin {
  Word name;
  bool on = true;
};

// What the included files say stands behind it in the document.
struct Include {
  std::string pattern;
  Span where;
};

struct Expect {
  Action action = Action::Deny;
  Direction direction = Direction::In;
  Word protocol;
  Word source;
  std::optional<Word> source_port;
  Word destination;
  std::optional<Word> destination_port;
  std::optional<Word> icmp_type;
  std::optional<Word> interface;
  Span where;
};

using Statement = std::variant<Set, Default, Builtin, Include, Rule, Expect>;

// In the order in which they count: included statements stand where their include is.
struct Document {
  std::shared_ptr<const SourceTree> sources;
  std::vector<Statement> statements;
};

}  // namespace rules::ast
