#include <fmt/core.h>

#include "ctl/render.h"
#include "ctl/table.h"
#include "rules/count.h"

namespace ctl {
namespace {

std::string equation(const api::AuditCounts& counts) {
  return fmt::format("{} decided = {} written + {} folded + {} lost + {} waiting", counts.decided,
                     counts.written, counts.folded, counts.lost, counts.waiting);
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kUnit = 1024;
  const auto mebibytes = static_cast<double>(bytes) / kUnit / kUnit;
  return mebibytes < kUnit ? fmt::format("{:.1f} MiB", mebibytes)
                           : fmt::format("{:.1f} GiB", mebibytes / kUnit);
}

}  // namespace

std::string render_audit(const api::AuditReport& report, const Look& look) {
  Table table({{""}, {""}});
  const auto add = [&table](std::string label, std::string text, Style style = Style::Plain) {
    table.add({{std::move(label), Style::Bold}, {std::move(text), style}});
  };
  add("File", one_line(report.file));
  add("Decisions", equation(report.counts), report.counts.lost > 0 ? Style::Warning : Style::Plain);
  add("Since the start", equation(report.since_start),
      report.since_start.lost > 0 ? Style::Bad : Style::Plain);
  add("Last line", fmt::format("{}, hash {}", report.sequence, one_line(report.hash)));
  for (const api::AuditOutput& output : report.outputs) {
    const std::string trouble = output.trouble.empty() ? "" : ": " + output.trouble;
    add("To the " + one_line(output.name),
        one_line(fmt::format("{} sent, {} missed, {} waiting ({}){}", output.sent, output.missed,
                             output.waiting, output.path, trouble)),
        output.missed > 0 || !output.trouble.empty() ? Style::Warning : Style::Plain);
  }
  add("Free", size_text(report.bytes_free));
  if (!report.trouble.empty()) add("Trouble", one_line(report.trouble), Style::Bad);
  return table.text(look);
}

std::string render_verified(const api::AuditVerified& verified, const Look& look) {
  std::string text;
  for (const api::AuditFinding& finding : verified.findings) {
    text += fmt::format("{}:{}: {}\n", one_line(finding.file), finding.line,
                        look.paint(Style::Bad, one_line(finding.what)));
  }
  const api::AuditCounts& counts = verified.counts;
  text += fmt::format(
      "{}: {} in {}, sequences {} to {}\n",
      verified.intact ? look.paint(Style::Good, "Intact") : look.paint(Style::Bad, "Not intact"),
      rules::count(verified.lines, "line"), rules::count(verified.files, "file"), verified.first,
      verified.last);
  text += fmt::format("They tell of {} = {} written + {} folded + {} lost\n",
                      rules::count(counts.decided, "decision"), counts.written, counts.folded,
                      counts.lost);
  text += fmt::format("Last hash: {}\n", one_line(verified.hash));
  for (const std::string& note : verified.notes) text += "Note: " + one_line(note) + '\n';
  return text;
}

}  // namespace ctl
