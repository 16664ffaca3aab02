// A set's statement in a policy's text, and edits of its members there: in the style of those around them, and every
// other byte stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/diagnostic.h"
#include "rules/report.h"

namespace rules {

class SetText {
 public:
  // Of a valid policy; the statement begins in that line.
  SetText(const Source& source, std::size_t line);

  std::size_t size() const { return members_.size(); }
  std::string_view member(std::size_t index) const;
  Location where(std::size_t index) const;

  void append(std::string_view member);
  // With its comma, and with its line if nothing else stands there.
  void remove(std::size_t index);

  std::string text() && { return std::move(source_.text); }

 private:
  struct Word {
    std::uint32_t offset = 0;  // in bytes
    std::uint32_t length = 0;
    std::uint32_t line = 0;

    std::size_t end() const { return std::size_t{offset} + length; }
  };

  std::size_t line_begin(const Word& word) const;
  std::size_t end_with_comma(const Word& word) const;
  bool has_comma(const Word& word) const;
  bool own_line(const Word& word) const;
  void fill(std::string_view member);
  void append_line(std::string_view member);
  void append_inline(std::string_view member);
  void replace(std::size_t at, std::size_t length, std::string_view by);
  void note(std::size_t offset, std::string_view member, std::uint32_t line);

  Source source_;
  Word open_;   // brace
  Word close_;  // likewise
  std::vector<Word> members_;
};

}  // namespace rules
