#include "rules/include.h"

#include <algorithm>
#include <optional>

#include <fnmatch.h>

#include "rules/lexer.h"
#include "rules/report.h"
#include "rules/text.h"

namespace rules {
namespace {

constexpr std::size_t kMaxPattern = 255;
constexpr std::ptrdiff_t kMaxStars = 4;  // fnmatch(3) is exponential in them

// Same name, same file: patterns may overlap, and parse() says so where they do.
void add_new(std::vector<Source>& sources, std::vector<Source> found) {
  for (Source& source : found) {
    const bool known = std::any_of(sources.begin(), sources.end(),
                                   [&](const Source& s) { return s.name == source.name; });
    if (!known) sources.push_back(std::move(source));
  }
}

// Of an include statement that is a text's only line.
std::optional<IncludePattern> pattern_of(const Source& line) {
  if (check_text(line)) return std::nullopt;
  Lexer lexer(line);
  if (const Token first = lexer.next(); first.text != "include") return std::nullopt;
  const Token name = lexer.next();
  if (name.kind != TokenKind::String) return std::nullopt;
  return IncludePattern{unescape(name.text), locate(name.where)};
}

}  // namespace

// Of large policies nearly all lines are rules: only a line that may be an include is taken apart.
std::vector<IncludePattern> include_patterns(const Source& main) {
  std::vector<IncludePattern> patterns;
  std::size_t number = 0;
  for_each_line(main.text, [&](std::string_view line) {
    ++number;
    if (!trim(line).starts_with("include")) return;
    if (auto pattern = pattern_of({main.name, std::string(line)})) {
      pattern->where.line = number;
      patterns.push_back(*std::move(pattern));
    }
  });
  return patterns;
}

std::expected<std::vector<Source>, std::vector<Diagnostic>> gather_includes(
    const Source& main, const IncludeReader& reader) {
  std::vector<Source> includes;
  std::vector<Diagnostic> errors;
  for (const IncludePattern& include : include_patterns(main)) {
    if (!check_include_pattern(include.pattern).empty()) continue;  // parse() says it better
    auto found = reader(include.pattern);
    if (found) {
      add_new(includes, *std::move(found));
    } else if (errors.size() < Report::kMost) {
      errors.push_back({Severity::Error, include.where, std::move(found.error()), {}, {}});
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return includes;
}

std::expected<SourceTree, std::vector<Diagnostic>> gather(Source main,
                                                          const IncludeReader& reader) {
  auto includes = gather_includes(main, reader);
  if (!includes) return std::unexpected(std::move(includes.error()));
  return SourceTree{std::move(main), *std::move(includes)};
}

std::string_view check_include_pattern(std::string_view pattern) {
  if (pattern.empty()) return "the include names no file";
  if (pattern.size() > kMaxPattern) return "the include's name is too long";
  if (pattern.front() == '/') return "an include is relative to the folder of the policy";
  if (!pattern.ends_with(".fw")) return "an include's name ends in .fw";
  if (std::count(pattern.begin(), pattern.end(), '*') > kMaxStars) {
    return "an include has at most 4 wildcards";
  }
  for (std::size_t begin = 0; begin <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    if (pattern.substr(begin, end - begin) == "..")
      return "an include can't leave its folder by \"..\"";
    begin = end + 1;
  }
  return {};
}

bool has_wildcards(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

bool include_matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
}

}  // namespace rules
