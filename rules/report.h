// Where in a text something stands, and what is collected on the way from text to policy that a
// person must see.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "rules/diagnostic.h"

namespace rules {

// A piece of one line. It points into its source, which must outlive it.
struct Span {
  const Source* source = nullptr;
  std::uint32_t offset = 0;  // in bytes from the start of the text
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in bytes
  std::uint32_t length = 0;  // in bytes

  std::size_t begin() const { return offset; }
  std::size_t end() const { return std::size_t{offset} + length; }
};

// The `length` bytes that start `skip` bytes into `span`.
Span part_of(const Span& span, std::size_t skip, std::size_t length);

// From the start of `first` to the end of `last`, both on one line.
Span join(const Span& first, const Span& last);

Location locate(const Span& span);

// An error that isn't about a place in a text, unless `where` says so.
std::unexpected<Diagnostic> refuse(std::string message, std::string hint = {}, Location where = {});

// Errors beyond the first 20 are dropped: they are mostly echoes. Warnings beyond are counted.
class Report {
 public:
  static constexpr std::size_t kMost = 20;

  // Returns false, so that whoever finds an error can say so and give up in one statement.
  bool error(const Span& where, std::string message, std::string hint = {},
             std::vector<Location> other = {});
  bool error(Diagnostic diagnostic);
  void warning(Location where, std::string message, std::vector<Location> other = {});

  bool failed() const { return !errors_.empty(); }
  bool full() const { return errors_.size() >= kMost; }
  std::vector<Diagnostic> take_errors() { return std::move(errors_); }
  std::vector<Diagnostic> take_warnings();

 private:
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
  std::size_t more_warnings_ = 0;
};

}  // namespace rules
