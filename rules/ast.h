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

// Words of one source, in order. A set may have a million members: of each only its place is kept, and that at one place in
// memory, since a page that is used for the first time costs more than what is done with it.
class WordList {
 public:
  void reserve(std::size_t words) { places_.reserve(words); }
  void push_back(const Word& word) {
    if (places_.empty()) first_ = word.where;
    places_.push_back({word.where.offset, word.where.length});
  }
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  std::string_view text(std::size_t index) const {
    const auto& [offset, length] = places_[index];
    return std::string_view(first_.source->text).substr(offset, length);
  }
  auto texts() const {
    return std::views::iota(std::size_t{0}, size()) |
           std::views::transform([this](std::size_t index) { return text(index); });
  }
  // Counts the lines up to it.
  Word operator[](std::size_t index) const;

 private:
  struct Place {
    std::uint32_t offset;
    std::uint32_t length;
  };

  Span first_;
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
