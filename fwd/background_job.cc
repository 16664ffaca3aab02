#include "fwd/background_job.h"

#include <utility>

namespace fwd {

BackgroundJob::BackgroundJob(std::function<void()> job, std::chrono::milliseconds pause)
    : job_(std::move(job)), pause_(pause), thread_([this] { run(); }) {}

BackgroundJob::~BackgroundJob() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void BackgroundJob::want() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
}

void BackgroundJob::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || ending_; });
    changed_.wait_for(lock, pause_, [this] { return ending_; });
    if (ending_) return;
    wanted_ = false;
    lock.unlock();
    job_();
    lock.lock();
  }
}

}  // namespace fwd
