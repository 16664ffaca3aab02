#include <fmt/core.h>

#include "ctl/render.h"
#include "ctl/table.h"
#include "ctl/time_text.h"
#include "rules/count.h"

namespace ctl {
namespace {

constexpr std::string_view kNote =
    "Note: accepted means accepted by fwd, another table may still drop; forwarded traffic "
    "(published container ports) isn't filtered yet.";

constexpr std::string_view kObserving =
    "OBSERVING ONLY: nothing is refused. Run fwctl mode enforce to enforce the policy.";

std::string copy_text(const api::CopyStatus& copy) {
  std::string text = copy.active ? fmt::format("decides since {} ({}); ", one_line(copy.since),
                                               one_line(copy.reason))
                                 : std::string();
  text += fmt::format("{}, {}", rules::count(copy.episodes, "episode"),
                      rules::count(copy.packets, "packet"));
  if (copy.packets == 0) return text;
  text += fmt::format(": {} allowed, {} denied", copy.allowed, copy.denied);
  if (copy.metered > 0) text += fmt::format(", {} by limits", copy.metered);
  if (copy.shed > 0) text += fmt::format("; {} shed", copy.shed);
  return text;
}

std::string head(const api::Status& status, const Look& look) {
  std::string text =
      "Status: " + (status.enabled ? look.paint(Style::Good, "active")
                                   : look.paint(Style::Bad, "inactive") + " (nothing is filtered)");
  if (status.mode != "enforce") text += ", mode " + one_line(status.mode);
  if (status.enabled && status.mode == "observe") text += '\n' + look.paint(Style::Bad, kObserving);
  text += fmt::format("\nDefault: {} (incoming), {} (outgoing)\n", one_line(status.defaults.in),
                      one_line(status.defaults.out));
  if (status.kernel_copy.active)
    text +=
        look.paint(Style::Warning, "Kernel's copy:") + ' ' + copy_text(status.kernel_copy) + '\n';
  return text;
}

std::string queues(const api::Queue& queue) {
  if (queue.workers.empty()) return "none";
  return queue.first == queue.last
             ? fmt::format("{}, {} queue expression", queue.first, queue.expression)
             : fmt::format("{}-{}, {} queue expression", queue.first, queue.last, queue.expression);
}

std::string details(const api::Status& status, const Look& look) {
  Table table({{""}, {""}});
  const auto add = [&table](std::string label, std::string text, Style style = Style::Plain) {
    table.add({{std::move(label), Style::Bold}, {std::move(text), style}});
  };
  const api::PolicyStatus& policy = status.policy;
  const api::AuditStatus& audit = status.audit;
  add("Daemon", fmt::format("fwd {}, pid {}, up {}", status.version, status.pid,
                            duration_text(std::chrono::seconds(status.uptime_seconds))));
  add("Policy",
      fmt::format("{}: {}, {}, loaded {}{}", policy.file, rules::count(policy.rules, "rule"),
                  rules::count(policy.sets, "set"), policy.loaded, cut_text(policy.cut)));
  add("Hash", policy.hash);
  add("Generation", std::to_string(status.generation));
  add("Queues", queues(status.queue));
  add("Kernel's copy", copy_text(status.kernel_copy),
      status.kernel_copy.active ? Style::Warning : Style::Plain);
  add("Audit",
      fmt::format("{}: {} written, {} folded, {} lost, {} waiting", audit.file, audit.written,
                  audit.folded, audit.lost, audit.waiting),
      audit.lost > 0 ? Style::Bad : Style::Plain);
  if (!audit.trouble.empty()) add("Audit trouble", one_line(audit.trouble), Style::Bad);
  add("Conntrack",
      fmt::format("{} of {} entries", status.conntrack.entries, status.conntrack.limit));
  return table.text(look);
}

// One row for each rule that the name stands for, and one row where there is none ("established", or what is off).
void add_builtin(Table& table, const std::string& name, bool on,
                 const std::vector<api::Rule>& builtin) {
  const Cell state{on ? "on" : "off", on ? Style::Good : Style::Bad};
  bool has_rules = false;
  for (const api::Rule& rule : builtin) {
    if (rule.id != name) continue;
    table.add({{name}, state, {rule.canonical}, {std::to_string(rule.packets)}});
    has_rules = true;
  }
  if (!has_rules) table.add({{name}, state, {}, {}});
}

std::string builtin_table(const api::Status& status, const api::RuleList& list, const Look& look) {
  Table table({{"Built-in"}, {"State"}, {"Rule"}, {"Hits", Align::Right}});
  for (const auto& [name, on] : status.builtins) add_builtin(table, name, on, list.builtin);
  return table.text(look);
}

std::string warnings(const std::vector<std::string>& list, const Look& look) {
  std::string text;
  for (const std::string& warning : list) {
    text += look.paint(Style::Warning, "Warning:") + ' ' + one_line(warning) + '\n';
  }
  return text;
}

}  // namespace

std::string render_status(const api::Status& status, const api::RuleList& list, Detail detail,
                          const Look& look) {
  const bool verbose = detail == Detail::Verbose;
  std::string text = head(status, look);
  if (verbose) text += '\n' + details(status, look);
  text += '\n' + render_rule_table(list, detail, look);
  if (verbose) {
    text += '\n' + builtin_table(status, list, look);
    if (!status.queue.workers.empty()) text += '\n' + render_workers(status.queue.workers, look);
  }
  return text + '\n' + warnings(status.warnings, look) + look.paint(Style::Dim, kNote) + '\n';
}

}  // namespace ctl
