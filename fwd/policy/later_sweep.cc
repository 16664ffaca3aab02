#include "fwd/policy/later_sweep.h"

#include <chrono>
#include <utility>

namespace fwd::policy {
namespace {

// Until whoever made the change has its answer: the sweep would take the processor that writes it.
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

LaterSweep::LaterSweep(std::function<void(const Active&)> sweep) : sweep_(std::move(sweep)) {
  job_.emplace([this] { run(); }, kPause);
}

LaterSweep::~LaterSweep() {
  end();
  job_.reset();
}

void LaterSweep::want(Active active) {
  {
    const std::lock_guard lock(next_mutex_);
    next_ = std::move(active);
  }
  job_->want();
}

void LaterSweep::end() {
  {
    const std::lock_guard lock(next_mutex_);
    next_ = nullptr;
  }
  const std::lock_guard ended(sweeping_);
}

void LaterSweep::run() {
  const std::lock_guard sweeping(sweeping_);
  std::unique_lock lock(next_mutex_);
  const Active active = std::exchange(next_, nullptr);
  lock.unlock();
  if (active) sweep_(active);
}

}  // namespace fwd::policy
