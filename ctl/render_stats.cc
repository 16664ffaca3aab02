#include <fmt/core.h>

#include "ctl/render.h"
#include "ctl/table.h"
#include "rules/count.h"

namespace ctl {
namespace {

// What should stay at 0 stands out when it doesn't.
Cell trouble(std::uint64_t number) {
  return {std::to_string(number), number > 0 ? Style::Bad : Style::Plain};
}

std::string action_table(const api::DirectionCounts& packets, const Look& look) {
  Table table({{"Packets"},
               {"allow", Align::Right},
               {"deny", Align::Right},
               {"reject", Align::Right},
               {"limit", Align::Right}});
  const auto add = [&table](const char* direction, const api::ActionCounts& counts) {
    table.add({{direction},
               {std::to_string(counts.allow)},
               {std::to_string(counts.deny)},
               {std::to_string(counts.reject)},
               {std::to_string(counts.limit)}});
  };
  add("in", packets.in);
  add("out", packets.out);
  return table.text(look);
}

std::string reason_table(const std::map<std::string, std::uint64_t>& reasons, const Look& look) {
  Table table({{"Reason"}, {"Packets", Align::Right}});
  for (const auto& [reason, packets] : reasons) {
    if (packets > 0) table.add({{reason}, {std::to_string(packets)}});
  }
  return table.empty() ? std::string() : table.text(look) + '\n';
}

std::string copy_text(const api::KernelCopy& copy) {
  std::string text =
      fmt::format("the kernel's copy allowed {} and denied {}", copy.allow, copy.deny);
  if (copy.limit > 0) text += fmt::format(", limits decided {}", copy.limit);
  if (copy.shed > 0) text += fmt::format("; {} were shed", copy.shed);
  return text;
}

std::string others(const api::Stats& stats, const Look& look) {
  Table table({{""}, {""}});
  table.add({{"Without the daemon", Style::Bold}, {copy_text(stats.kernel_copy)}});
  table.add({{"Revoked", Style::Bold}, {rules::count(stats.revoked, "connection")}});
  const api::VerdictTimes& times = stats.verdict_microseconds;
  if (times.p99 > 0) {
    table.add(
        {{"Time to verdict", Style::Bold},
         {fmt::format("half within {:.1f} us, 99 % within {:.1f} us", times.p50, times.p99)}});
  }
  return table.text(look);
}

}  // namespace

std::string render_workers(const std::vector<api::Worker>& workers, const Look& look) {
  Table table({{"Queue", Align::Right},
               {"Packets", Align::Right},
               {"Waiting", Align::Right},
               {"Dropped, full", Align::Right},
               {"Dropped, buffer", Align::Right},
               {"Send errors", Align::Right},
               {"ENOBUFS", Align::Right}});
  for (const api::Worker& worker : workers) {
    table.add({{std::to_string(worker.queue)},
               {std::to_string(worker.packets)},
               {std::to_string(worker.depth)},
               trouble(worker.dropped),
               trouble(worker.user_dropped),
               trouble(worker.send_errors),
               trouble(worker.enobufs)});
  }
  return table.text(look);
}

std::string render_stats(const api::Stats& stats, const Look& look) {
  std::string text = action_table(stats.packets, look) + '\n';
  text += reason_table(stats.reasons, look) + others(stats, look);
  if (!stats.workers.empty()) text += '\n' + render_workers(stats.workers, look);
  return text;
}

}  // namespace ctl
