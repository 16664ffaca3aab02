// The sources whose packets go past the queues, and until when: packets of theirs that were queued
// before still come to the workers, and are no reason to tell of them again. Pure.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "rules/address.h"

namespace fwd {

class ShedList {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kTime{10};

  // Of these, the ones to be shed from now on for kTime, each once.
  std::vector<rules::Address> add(const std::vector<rules::Address>& heavy, Time now);

 private:
  std::map<rules::Address, Time> until_;
};

}  // namespace fwd
