// JSON read and written in one pass, without a tree of nodes in between. Only what is quick to tell: whoever is refused here
// takes the way through the tree, which knows all of JSON and says what is wrong.
#pragma once

#include <string>
#include <string_view>

namespace ctl::api {

// In quotes. False for bytes that aren't UTF-8 and for control characters that have no short escape.
bool append_plain(std::string& out, std::string_view text);

class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : left_(text) {}

  // Takes exactly these bytes if they are next.
  bool accept(std::string_view bytes);
  // Takes a string with short escapes only.
  bool string(std::string& value);
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace ctl::api
