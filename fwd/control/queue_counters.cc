#include "fwd/control/queue_counters.h"

#include <sstream>
#include <string>

#include "fwd/files.h"

namespace fwd::control {

// Columns (net/netfilter/nfnetlink_queue.c, seq_show): queue number, port, packets in the queue,
// copy mode, copy range, dropped, dropped at the socket, last id, 1.
std::map<std::uint16_t, QueueCounters> parse_queue_counters(std::string_view text) {
  std::map<std::uint16_t, QueueCounters> counters;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::uint16_t queue = 0;
    std::uint64_t port = 0, mode = 0, range = 0;
    QueueCounters row;
    if (columns >> queue >> port >> row.waiting >> mode >> range >> row.dropped >> row.user_dropped)
      counters[queue] = row;
  }
  return counters;
}

Result<std::map<std::uint16_t, QueueCounters>> read_queue_counters() {
  const auto text = read_file("/proc/net/netfilter/nfnetlink_queue");
  if (!text) return std::unexpected(text.error());
  return parse_queue_counters(*text);
}

}  // namespace fwd::control
