#include "rules/report.h"

#include <utility>

#include "rules/count.h"

namespace rules {

Span part_of(const Span& span, std::size_t skip, std::size_t length) {
  const auto by = static_cast<std::uint32_t>(skip);
  return {span.source, span.offset + by, span.line, span.column + by,
          static_cast<std::uint32_t>(length)};
}

Span join(const Span& first, const Span& last) {
  Span both = first;
  both.length = static_cast<std::uint32_t>(last.end() - first.begin());
  return both;
}

Location locate(const Span& span) {
  const std::string& text = span.source->text;
  const std::size_t begin = span.offset - (span.column - 1);
  std::size_t end = text.find('\n', begin);
  if (end == std::string::npos) end = text.size();
  if (end > begin && text[end - 1] == '\r') --end;
  return {span.source->name, span.line, span.column, span.length, text.substr(begin, end - begin)};
}

std::unexpected<Diagnostic> refuse(std::string message, std::string hint, Location where) {
  return std::unexpected(
      Diagnostic{Severity::Error, std::move(where), std::move(message), std::move(hint), {}});
}

bool Report::error(const Span& where, std::string message, std::string hint,
                   std::vector<Location> other) {
  if (full()) return false;
  return error(
      {Severity::Error, locate(where), std::move(message), std::move(hint), std::move(other)});
}

bool Report::error(Diagnostic diagnostic) {
  if (!full()) errors_.push_back(std::move(diagnostic));
  return false;
}

void Report::warning(Location where, std::string message, std::vector<Location> other) {
  if (warnings_.size() >= kMost) {
    ++more_warnings_;
    return;
  }
  warnings_.push_back(
      {Severity::Warning, std::move(where), std::move(message), {}, std::move(other)});
}

std::vector<Diagnostic> Report::take_warnings() {
  if (more_warnings_ > 0) {
    warnings_.push_back(
        {Severity::Warning, {}, "and " + count(more_warnings_, "more warning"), {}, {}});
  }
  more_warnings_ = 0;
  return std::move(warnings_);
}

}  // namespace rules
