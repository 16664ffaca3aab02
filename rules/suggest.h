// Finds the name that somebody probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

// Damerau-Levenshtein distance (neighbours may be swapped), or `limit` + 1 where it is more than
// `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// Keeps the nearest of the names that it is shown, if one is near enough to be a slip of the
// finger.
class Nearest {
 public:
  explicit Nearest(std::string_view word);

  void consider(std::string_view name);
  std::optional<std::string> found() const;

  // `did you mean "name"?`, or nothing. `prefix` goes before the name ("@").
  std::string hint(std::string_view prefix = {}) const;

 private:
  std::string word_;
  std::string best_;
  std::size_t distance_;    // of the best name so far; the most there may be while there is none
  std::size_t prefix_ = 0;  // that the best name shares with the word
};

// The hint for `word` among `names`.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace rules
