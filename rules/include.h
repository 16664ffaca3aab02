// Includes: which files a policy names, and how a caller gathers them. The language itself opens
// nothing.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/diagnostic.h"

namespace rules {

// A policy's texts. An include's name is what its pattern finds, relative to the main file's folder
// ("policy.d/web.fw").
struct SourceTree {
  Source main;
  std::vector<Source> includes;
};

struct IncludePattern {
  std::string pattern;
  Location where;
};

// The patterns of a main file, in order. Statements that aren't well formed are passed over:
// parse() reports them.
std::vector<IncludePattern> include_patterns(const Source& main);

// All files that a pattern finds, or what went wrong, in a few words for the user.
using IncludeReader =
    std::function<std::expected<std::vector<Source>, std::string>(const std::string& pattern)>;

// What `reader` finds for each include statement of a main file.
std::expected<std::vector<Source>, std::vector<Diagnostic>> gather_includes(
    const Source& main, const IncludeReader& reader);

// The main text and its includes.
std::expected<SourceTree, std::vector<Diagnostic>> gather(Source main, const IncludeReader& reader);

// Nothing if the pattern is one that may be included: relative, no "..", ending in ".fw", few
// wildcards. Otherwise what is wrong with it.
std::string_view check_include_pattern(std::string_view pattern);

bool has_wildcards(std::string_view pattern);

// As glob(7): `*` doesn't match `/` or a leading dot. The pattern is one that
// check_include_pattern() approved.
bool include_matches(const std::string& pattern, const std::string& name);

}  // namespace rules
