// What the kernel counts for each queue (/proc/net/netfilter/nfnetlink_queue).
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "fwd/system_error.h"

namespace fwd::control {

struct QueueCounters {
  std::uint64_t waiting = 0;
  std::uint64_t dropped = 0;       // the queue was full
  std::uint64_t user_dropped = 0;  // the socket's buffer was full
};

std::map<std::uint16_t, QueueCounters> parse_queue_counters(
    std::string_view text);  // by queue number
Result<std::map<std::uint16_t, QueueCounters>> read_queue_counters();

}  // namespace fwd::control
