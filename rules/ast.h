// The syntax tree: what is written, word by word, before any name is looked up. Words and spans
// point into the document's sources. Made by parse() in rules/parser.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
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

// Words of one source. A set may have a million members: each takes its place, and the text has the rest.
class WordList {
 public:
  void push_back(const Word& word) {
    const Span& where = word.where;
    source_ = where.source;
    places_.push_back({where.offset, where.line, where.column, where.length});
  }
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Word operator[](std::size_t index) const {
    const Place& place = places_[index];
    const Span where{source_, place.offset, place.line, place.column, place.length};
    return {std::string_view(source_->text).substr(where.offset, where.length), where};
  }
  // In order, each made when it is asked for.
  auto words() const {
    return std::views::iota(std::size_t{0}, size()) |
           std::views::transform([this](std::size_t index) { return (*this)[index]; });
  }

 private:
  struct Place {
    std::uint32_t offset;
    std::uint32_t line;
    std::uint32_t column;
    std::uint32_t length;
  };

  const Source* source_ = nullptr;
  std::vector<Place> places_;
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
  WordList members;
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
