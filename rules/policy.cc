#include "rules/policy.h"

#include "rules/report.h"

namespace rules {
namespace {

// Null where the policy was made from no text.
const Source* source_of(const Policy& policy, const Written& written) {
  if (policy.sources == nullptr || written.line == 0) return nullptr;
  return written.source == 0 ? &policy.sources->main
                             : &policy.sources->includes[written.source - 1];
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::Allow:
      return "allow";
    case Action::Deny:
      return "deny";
    case Action::Reject:
      return "reject";
    case Action::Limit:
      return "limit";
  }
  __builtin_unreachable();
}

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::In:
      return "in";
    case Direction::Out:
      return "out";
  }
  __builtin_unreachable();
}

Location Policy::where(std::size_t index) const {
  const Written& written = rules.written(index);
  const Source* const source = source_of(*this, written);
  if (source == nullptr) return {};
  const std::string_view before = std::string_view(source->text).substr(0, written.offset);
  const auto column = static_cast<std::uint32_t>(before.size() - (before.rfind('\n') + 1) + 1);
  return locate({source, written.offset, written.line, column, written.length});
}

const std::string& Policy::file(std::size_t index) const {
  static const std::string kNone;
  const Source* const source = source_of(*this, rules.written(index));
  return source == nullptr ? kNone : source->name;
}

std::string_view Policy::statement(std::size_t index) const {
  const Written& written = rules.written(index);
  const Source* const source = source_of(*this, written);
  if (source == nullptr) return {};
  return std::string_view(source->text).substr(written.offset, written.length);
}

}  // namespace rules
