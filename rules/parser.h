// Text to syntax tree: parse() for a policy, parse_rule() for one rule of a command line. Nothing
// is looked up here.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "rules/ast.h"
#include "rules/include.h"

namespace rules {

inline constexpr std::size_t kMaxRules = 200'000;
inline constexpr std::size_t kMaxMembers = 2'000'000;  // of all sets together
inline constexpr std::size_t kMaxIncludes = 256;       // statements

// At most 20 errors, in the order of the text.
std::expected<ast::Document, std::vector<Diagnostic>> parse(
    std::shared_ptr<const SourceTree> sources);
std::expected<ast::Document, std::vector<Diagnostic>> parse(SourceTree tree);

// More than kMaxText. parse() looks at it too.
std::optional<Diagnostic> check_size(const SourceTree& tree);

// One rule with the text it points into.
struct ParsedRule {
  std::unique_ptr<const Source> source;
  ast::Rule rule;
};

// One rule as on a command line: `allow in on eth0 to any port 80 proto tcp`. Diagnostics call the
// text "command line".
std::expected<ParsedRule, Diagnostic> parse_rule(std::string_view text);

}  // namespace rules
