// The format: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
#include "fwd/metrics/exposition.h"

#include <iterator>

#include <fmt/format.h>

namespace fwd::metrics {
namespace {

void append_escaped(std::string& out, std::string_view value) {
  for (const char byte : value) {
    if (byte == '\n') {
      out += "\\n";
      continue;
    }
    if (byte == '\\' || byte == '"') out += '\\';
    out += byte;
  }
}

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

}  // namespace

Exposition::Family Exposition::begin(std::string_view name, std::string_view help,
                                     std::string_view type) {
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  return {text_, name};
}

void Exposition::histogram_of_seconds(std::string_view name, std::string_view help,
                                      std::span<const std::uint64_t> bounds,
                                      std::span<const std::uint64_t> counts, std::uint64_t sum) {
  Family family = begin(name, help, "histogram");
  std::uint64_t below = 0;
  for (std::size_t at = 0; at < counts.size(); ++at) {
    below += counts[at];
    const std::string bound =
        at < bounds.size() ? fmt::format("{}", seconds(bounds[at])) : std::string("+Inf");
    family.line("_bucket", {{"le", bound}}, fmt::format("{}", below));
  }
  family.line("_sum", {}, fmt::format("{}", seconds(sum)));
  family.line("_count", {}, fmt::format("{}", below));
}

Exposition::Family& Exposition::Family::add(Labels labels, std::uint64_t value) {
  return line({}, labels, fmt::format("{}", value));
}

Exposition::Family& Exposition::Family::add(Labels labels, double value) {
  return line({}, labels, fmt::format("{}", value));
}

Exposition::Family& Exposition::Family::line(std::string_view suffix, Labels labels,
                                             std::string_view value) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_.append(label.name).append("=\"");
    append_escaped(text_, label.value);
    text_ += '"';
    before = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_.append(" ").append(value).append("\n");
  return *this;
}

}  // namespace fwd::metrics
