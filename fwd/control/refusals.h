// Requests of users who have no right to them, on their way into the audit log, which they must not be able to flood: of each
// user one request in a second has a record at once, what comes on top is told together when the second is over, with its
// exact number. add() is the way in.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "fwd/audit/event.h"
#include "fwd/control/router.h"

namespace fwd::control {

class Refusals {
 public:
  using Clock = std::chrono::steady_clock;
  using Describe = std::function<audit::AdminEvent(const Request& request, const std::string& why)>;
  using Record = std::function<void(audit::AdminEvent event)>;

  static constexpr std::chrono::seconds kTogether{1};
  // Told apart at a time: a user may have the user numbers of a namespace. Requests of those that come later are
  // one record.
  static constexpr std::size_t kMostUsers = 16;

  Refusals(Describe describe, Record record);

  void add(const Request& request, const std::string& why, Clock::time_point now = Clock::now());

  // Tells what has been counted since a second or longer. To be called about once a second.
  void close_before(Clock::time_point now = Clock::now());
  void close();

 private:
  struct Count {
    audit::AdminEvent first;  // of those counted
    std::uint64_t requests = 0;
  };

  void close_locked();
  void count(std::optional<Count>& into, const Request& request, const std::string& why) const;
  void tell(Count count, bool one_user);

  const Describe describe_;
  const Record record_;
  std::mutex mutex_;  // of the next ones
  Clock::time_point began_;
  std::map<std::uint32_t, std::optional<Count>> users_;  // by uid; those with one request have none
  std::optional<Count> others_;
};

}  // namespace fwd::control
