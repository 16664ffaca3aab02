#include "rules/policy_diff.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "rules/printer.h"
#include "rules/text.h"

namespace rules {
namespace {

// Those of `lines` that `others` has as often; the rest goes to `missing`.
Lines common(const Lines& lines, const Lines& others, std::vector<std::string>& missing) {
  std::map<std::string_view, std::size_t> left;
  for (const std::string_view line : others) ++left[line];
  Lines found;
  for (const std::string_view line : lines) {
    const auto at = left.find(line);
    if (at != left.end() && at->second > 0) {
      --at->second;
      found.push_back(line);
    } else {
      missing.emplace_back(line);
    }
  }
  return found;
}

}  // namespace

PolicyDiff diff(const Policy& before, const Policy& after) {
  const std::string old_text = print(before);
  const std::string new_text = print(after);
  const Lines old_lines = lines_of(old_text);
  const Lines new_lines = lines_of(new_text);
  PolicyDiff result;
  const Lines kept_before = common(old_lines, new_lines, result.removed);
  const Lines kept_after = common(new_lines, old_lines, result.added);
  result.reordered = kept_before != kept_after;
  return result;
}

}  // namespace rules
