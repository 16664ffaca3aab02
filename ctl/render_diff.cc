#include <algorithm>

#include <fmt/core.h>

#include "ctl/render.h"
#include "ctl/table.h"
#include "rules/count.h"

namespace ctl {
namespace {

constexpr const char* kSame = "No difference.\n";
constexpr const char* kSameRules = "The rules are the same; comments, expects or layout differ.\n";

std::string lines(char sign, const std::vector<std::string>& texts, Style style, const Look& look) {
  std::string out;
  for (const std::string& text : texts) {
    out += look.paint(style, fmt::format("{} {}", sign, one_line(text))) + '\n';
  }
  return out;
}

bool is_own(const api::Connection& connection, const Session& own) {
  return !own.source.empty() && connection.source == own.source &&
         connection.destination == own.destination;
}

std::string connection_table(const std::vector<api::Connection>& connections, const Session& own,
                             const Look& look) {
  Table table({{""}, {""}, {"From"}, {"To"}, {"Denied by"}, {""}});
  for (const api::Connection& one : connections) {
    const bool mine = is_own(one, own);
    table.add({{one.direction},
               {one_line(one.protocol)},
               {one_line(one.source)},
               {one_line(one.destination)},
               {one_line(one.rule)},
               {mine ? "your own session" : "", Style::Bad}});
  }
  return table.text(look);
}

}  // namespace

std::string cut_text(std::uint64_t connections) {
  return connections == 0 ? std::string()
                          : fmt::format(", {} cut", rules::count(connections, "live connection"));
}

std::string render_diff(const api::Diff& diff, const Session& own, const Look& look) {
  std::string out = lines('-', diff.removed, Style::Bad, look);
  out += lines('+', diff.added, Style::Good, look);
  if (diff.reordered) out += "The order of rules changes.\n";
  if (out.empty()) out = diff.text_differs ? kSameRules : kSame;
  if (diff.cut == 0) return out + "No live connection would be cut.\n";
  out += look.paint(Style::Warning, rules::count(diff.cut, "live connection") + " would be cut:") +
         '\n';
  out += connection_table(diff.connections, own, look);
  const auto unnamed = diff.cut - std::min<std::uint64_t>(diff.cut, diff.connections.size());
  if (unnamed > 0) out += fmt::format("and {} more\n", unnamed);
  return out;
}

}  // namespace ctl
