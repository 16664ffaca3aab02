#include "fwd/copy_watch.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "fwd/log.h"
#include "rules/count.h"

namespace fwd {
namespace {

const char* in_words(CopyReason reason) {
  switch (reason) {
    case CopyReason::Restart:
      return "the workers had not begun";
    case CopyReason::NoAnswer:
      return "a worker doesn't answer";
    case CopyReason::BufferFull:
      return "the buffer of a queue's socket is full";
    case CopyReason::QueueFull:
      return "a queue is full";
    case CopyReason::Shed:
      return "a source sends too much";
  }
  __builtin_unreachable();
}

audit::HealthEvent health_event(const char* action, std::string message, const Episode& episode) {
  const kernel::CopyCounters& packets = episode.packets;
  return {
      audit::HealthType::Info,
      action,
      std::move(message),
      std::string(to_string(episode.main_reason())),
      packets.decided(),
      audit::HealthEvent::ByCopy{packets.allowed, packets.denied, packets.metered, packets.shed}};
}

}  // namespace

void CopyWatch::restarted() {
  const std::lock_guard lock(mutex_);
  restarted_ = true;
}

void CopyWatch::lease_ran_out() {
  const std::lock_guard lock(mutex_);
  lease_ran_out_ = true;
}

void CopyWatch::look() {
  const std::lock_guard lock(mutex_);
  look_locked();
}

CopyWatch::State CopyWatch::state() {
  const std::lock_guard lock(mutex_);
  look_locked();
  State state;
  state.episodes = episodes_.count();
  state.packets = episodes_.total();
  state.revoked = revoked_.total();
  state.limit_refused = limit_refused_.total();
  if (episodes_.current()) {
    state.since = since_;
    state.reason = episodes_.current()->main_reason();
  }
  return state;
}

void CopyWatch::look_locked() {
  const auto counters = firewall_.counters();
  // Without a table nobody decides.
  if (!counters && counters.error().code != ENOENT) log::warning("{}", counters.error().message());
  if (counters) {
    revoked_.see(counters->revoked);
    limit_refused_.see(counters->limit_refused);
  }
  const CopyLook look{.at = std::chrono::steady_clock::now(),
                      .counters = counters ? counters->copy : episodes_.seen(),
                      .restart = std::exchange(restarted_, false),
                      .no_lease = std::exchange(lease_ran_out_, false),
                      .overruns = overruns_()};
  switch (episodes_.look(look)) {
    case Episodes::Change::None:
      return;
    case Episodes::Change::Began:
      since_ = std::chrono::system_clock::now();
      return tell_began(*episodes_.current());
    case Episodes::Change::Quiet:
      const auto taken = firewall_.take_copy_counters();
      return tell_ended(episodes_.end(taken ? *taken : episodes_.seen()));
  }
}

void CopyWatch::tell_began(const Episode& episode) {
  std::string message =
      fmt::format("the kernel's copy of the policy decides: {}", in_words(episode.main_reason()));
  log::warning("{}", message);
  tell_(health_event("fallback", std::move(message), episode));
}

void CopyWatch::tell_ended(const Episode& episode) {
  const kernel::CopyCounters& packets = episode.packets;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(episode.last - episode.began).count();
  std::string message = fmt::format(
      "the workers decide again; in {} s the copy allowed {} and denied {}, meters decided "
      "{}; {} were of sources that sent too much",
      seconds + 1, rules::count(packets.allowed, "packet"), packets.denied, packets.metered,
      packets.shed);
  log::info("{}", message);
  tell_(health_event("recovery", std::move(message), episode));
}

void CopyWatch::Growth::see(std::uint64_t value) {
  if (last_) total_ += value < *last_ ? value : value - *last_;
  last_ = value;
}

}  // namespace fwd
