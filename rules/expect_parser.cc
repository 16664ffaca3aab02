#include "rules/expect_parser.h"

#include <fmt/core.h>

#include "rules/rule_parser.h"
#include "rules/suggest.h"

namespace rules {
namespace {

bool head(Cursor& cursor, ast::Expect& expect) {
  const auto word = cursor.want_word("allow, deny, reject or limit");
  if (!word) return false;
  const auto action = action_by_name(word->text);
  if (!action) {
    return cursor.report().error(word->where, fmt::format("unknown action \"{}\"", word->text),
                                 did_you_mean(word->text, {"allow", "deny", "reject", "limit"}));
  }
  expect.action = *action;
  if (cursor.accept("out")) {
    expect.direction = Direction::Out;
  } else {
    cursor.accept("in");
  }
  return true;
}

bool addresses(Cursor& cursor, ast::Expect& expect) {
  const auto protocol = cursor.want_word("a protocol");
  if (!protocol) return false;
  cursor.accept("from");
  const auto source = cursor.want_word("the source's address");
  if (!source) return false;
  if (cursor.accept("port")) {
    expect.source_port = cursor.want_word("a port");
    if (!expect.source_port) return false;
  }
  if (!cursor.accept("to")) return cursor.unexpected("\"to\"");
  const auto destination = cursor.want_word("the destination's address");
  if (!destination) return false;
  expect.protocol = *protocol;
  expect.source = *source;
  expect.destination = *destination;
  return true;
}

bool clause(Cursor& cursor, ast::Expect& expect) {
  std::optional<ast::Word>* part = cursor.at_word("port")   ? &expect.destination_port
                                   : cursor.at_word("type") ? &expect.icmp_type
                                   : cursor.at_word("on")   ? &expect.interface
                                                            : nullptr;
  if (part == nullptr || part->has_value()) {
    return cursor.unexpected("\"port\", \"type\", \"on\" or the end of the statement");
  }
  const Token keyword = cursor.take();
  *part = cursor.want_word(fmt::format("a word after \"{}\"", keyword.text));
  return part->has_value();
}

}  // namespace

std::optional<ast::Expect> parse_expect_statement(Cursor& cursor) {
  const Span start = cursor.take().where;
  ast::Expect expect;
  if (!head(cursor, expect) || !addresses(cursor, expect)) return std::nullopt;
  while (!cursor.at_end()) {
    if (!clause(cursor, expect)) return std::nullopt;
  }
  expect.where = join(start, cursor.last());
  return expect;
}

}  // namespace rules
