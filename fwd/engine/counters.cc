#include "fwd/engine/counters.h"

#include <algorithm>
#include <cmath>

namespace fwd::engine {

void WorkerCounters::count_time(std::uint64_t nanoseconds, std::size_t packets_in_batch) noexcept {
  const auto bound =
      std::lower_bound(kVerdictTimeBounds.begin(), kVerdictTimeBounds.end(), nanoseconds);
  verdict_times[static_cast<std::size_t>(bound - kVerdictTimeBounds.begin())].add(packets_in_batch);
  verdict_nanoseconds.add(nanoseconds * packets_in_batch);
}

void PacketTotals::add(const WorkerCounters& worker) noexcept {
  packets.add(worker.packets);
  for (std::size_t at = 0; at < verdict_times.size(); ++at) {
    verdict_times[at] += worker.verdict_times[at].value();
  }
  verdict_nanoseconds += worker.verdict_nanoseconds.value();
  batches += worker.batches.value();
  records_lost += worker.records_lost.value();
}

std::uint64_t PacketTotals::packet_count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto cell : packets.cells()) sum += cell;
  return sum;
}

std::chrono::nanoseconds PacketTotals::verdict_time(double share) const noexcept {
  std::uint64_t all = 0;
  for (const auto count : verdict_times) all += count;
  if (all == 0) return std::chrono::nanoseconds(0);
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
  std::uint64_t seen = 0;
  for (std::size_t at = 0; at < kVerdictTimeBounds.size(); ++at) {
    seen += verdict_times[at];
    if (seen >= wanted) return std::chrono::nanoseconds(kVerdictTimeBounds[at]);
  }
  return std::chrono::nanoseconds(kVerdictTimeBounds.back());
}

}  // namespace fwd::engine
