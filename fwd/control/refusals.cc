#include "fwd/control/refusals.h"

#include <utility>

#include <fmt/core.h>

#include "rules/count.h"

namespace fwd::control {

Refusals::Refusals(Describe describe, Record record)
    : describe_(std::move(describe)), record_(std::move(record)) {}

void Refusals::add(const Request& request, const std::string& why, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now - began_ >= kTogether) close_locked();
  if (users_.empty()) began_ = now;
  const auto known = users_.find(request.peer.uid);
  if (known != users_.end()) return count(known->second, request, why);
  if (users_.size() >= kMostUsers) return count(others_, request, why);
  users_.emplace(request.peer.uid, std::nullopt);
  record_(describe_(request, why));
}

void Refusals::close_before(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now - began_ >= kTogether) close_locked();
}

void Refusals::close() {
  const std::lock_guard lock(mutex_);
  close_locked();
}

// Who has sent it is looked up once: that costs more than the request.
void Refusals::count(std::optional<Count>& into, const Request& request,
                     const std::string& why) const {
  if (!into) into = Count{describe_(request, why), 0};
  ++into->requests;
}

void Refusals::close_locked() {
  for (auto& [uid, counted] : users_) {
    if (counted) tell(*std::move(counted), true);
  }
  users_.clear();
  if (others_) tell(*std::exchange(others_, std::nullopt), false);
}

void Refusals::tell(Count count, bool one_user) {
  audit::AdminEvent& event = count.first;
  event.requests = count.requests;
  if (count.requests > 1) {
    event.change =
        fmt::format("{}, the first: {}", rules::count(count.requests, "request"), event.change);
  }
  if (!one_user) {
    event.actor = {};
    event.refusal = "these users may not change the firewall";
  }
  record_(std::move(event));
}

}  // namespace fwd::control
