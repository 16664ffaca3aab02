#include "rules/edit_places.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "rules/text.h"

namespace rules {
namespace {

// What an edit did to the lines of a text: those at both ends are the same ones.
class LineMap {
 public:
  LineMap(std::string_view before, std::string_view after) {
    const Lines old_lines = lines_of(before);
    const Lines new_lines = lines_of(after);
    const auto differ = std::ranges::mismatch(old_lines, new_lines);
    head_ = static_cast<std::size_t>(differ.in1 - old_lines.begin());
    std::size_t tail = 0;
    const std::size_t most = std::min(old_lines.size(), new_lines.size()) - head_;
    while (tail < most && old_lines.rbegin()[static_cast<std::ptrdiff_t>(tail)] ==
                              new_lines.rbegin()[static_cast<std::ptrdiff_t>(tail)]) {
      ++tail;
    }
    old_end_ = old_lines.size() - tail;
    new_end_ = new_lines.size() - tail;
  }

  // Both from 1. Nothing for a line that came with the edit.
  std::optional<std::size_t> before(std::size_t line) const {
    if (line > new_end_) return line - new_end_ + old_end_;
    if (line <= std::max(head_, old_end_)) return line;
    return std::nullopt;
  }

 private:
  std::size_t head_ = 0;     // so many lines are the same at the start
  std::size_t old_end_ = 0;  // and all behind these
  std::size_t new_end_ = 0;
};

std::string place(const Location& where) {
  return fmt::format("{}:{}", where.file, where.line);
}

void move(Location& where, const Source& file, const LineMap& map) {
  if (where.file != file.name || where.line == 0) return;
  const auto line = map.before(where.line);
  if (!line) where.file = "command line";
  where.line = line.value_or(1);
}

}  // namespace

void place_before_edit(std::vector<Diagnostic>& diagnostics, const Source& before,
                       std::string_view after) {
  const LineMap map(before.text, after);
  for (Diagnostic& diagnostic : diagnostics) {
    move(diagnostic.where, before, map);
    for (Location& other : diagnostic.other) {
      const std::string old_place = place(other);
      move(other, before, map);
      // A false `expect` says which rule decides.
      if (!diagnostic.message.ends_with(old_place)) continue;
      diagnostic.message.resize(diagnostic.message.size() - old_place.size());
      diagnostic.message += place(other);
    }
  }
}

}  // namespace rules
