#include <fmt/core.h>

#include "ctl/render.h"
#include "ctl/table.h"
#include "rules/lexer.h"

namespace ctl {
namespace {

std::string statement(const api::Rule& rule) {
  return rule.comment.empty() ? rule.text : rule.text + " comment " + rules::quote(rule.comment);
}

std::string place(const api::Rule& rule) {
  return rule.line == 0 ? rule.file : fmt::format("{}:{}", rule.file, rule.line);
}

// The daemon's messages begin with the place, fwctl's own don't.
bool says(const rules::Diagnostic& diagnostic, std::string_view message) {
  const rules::Location& where = diagnostic.where;
  return message == diagnostic.message ||
         message == fmt::format("{}:{}: {}", where.file, where.line, diagnostic.message);
}

}  // namespace

std::string render_rule_table(const api::RuleList& list, Detail detail, const Look& look) {
  const bool numbered = detail != Detail::Brief;
  const bool verbose = detail == Detail::Verbose;
  const auto digits = std::to_string(list.rules.size()).size();
  Table table(
      {{"", Align::Right}, {"ID"}, {"Rule"}, {"Hits", Align::Right}, {"Comment"}, {"Place"}});
  for (const api::Rule& rule : list.rules) {
    table.add({{numbered ? fmt::format("[{:>{}}]", rule.number, digits) : ""},
               {numbered ? rule.id : "", Style::Dim},
               {rule.text, style_of_action(rule.action)},
               {std::to_string(rule.packets)},
               {rule.comment},
               {verbose ? place(rule) : "", Style::Dim}});
  }
  const auto add_default = [&table](const api::Default& value, const char* direction) {
    table.add(
        {{},
         {},
         {fmt::format("default {} {}", value.action, direction), style_of_action(value.action)},
         {std::to_string(value.packets)},
         {},
         {}});
  };
  add_default(list.defaults.in, "in");
  add_default(list.defaults.out, "out");
  return table.text(look);
}

std::string render_statements(const std::vector<api::Rule>& rules, const Look& look) {
  std::string text;
  for (const api::Rule& rule : rules) {
    text += look.paint(style_of_action(rule.action), one_line(statement(rule))) + '\n';
  }
  return text;
}

std::string render_rule(const api::Rule& rule, const Look& look) {
  return fmt::format("{}  {}  {}", rule.number, one_line(rule.id),
                     look.paint(style_of_action(rule.action), one_line(statement(rule))));
}

std::string render_sets(const std::vector<api::Set>& sets, const Look& look) {
  Table table({{"Set"}, {"Kind"}, {"Entries", Align::Right}, {"Place"}});
  for (const api::Set& set : sets) {
    table.add({{set.name},
               {set.kind == api::SetKind::Ports ? "ports" : "addresses"},
               {std::to_string(set.members.size())},
               {fmt::format("{}:{}", set.file, set.line), Style::Dim}});
  }
  return table.empty() ? "The policy has no sets.\n" : table.text(look);
}

std::string render_members(const api::Set& set) {
  std::string text;
  for (const std::string& member : set.members) text += one_line(member) + '\n';
  return text;
}

std::string render_diagnostics(const std::vector<rules::Diagnostic>& diagnostics) {
  std::string text;
  for (const rules::Diagnostic& diagnostic : diagnostics) text += rules::render(diagnostic);
  return text;
}

// The first diagnostic mostly says what the message says, and more: then it is enough.
std::string render_error(const api::Error& error) {
  const std::string details = render_diagnostics(error.diagnostics);
  if (error.diagnostics.empty() || !says(error.diagnostics.front(), error.message)) {
    return "fwctl: " + one_line(error.message) + '\n' + details;
  }
  return (error.diagnostics.front().where.file.empty() ? "fwctl: " : "") + details;
}

}  // namespace ctl
