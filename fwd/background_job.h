// A job that takes longer than the main thread may be away from its leases: it runs on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace fwd {

class BackgroundJob {
 public:
  // A run begins so long after somebody wants it: what is wanted meanwhile is the same run.
  explicit BackgroundJob(std::function<void()> job, std::chrono::milliseconds pause = {});
  ~BackgroundJob();  // waits for a run that has begun
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  // The job runs once after this call, or once for several that come while it is running.
  void want();

 private:
  void run();

  const std::function<void()> job_;
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;  // of the next two
  bool wanted_ = false;
  bool ending_ = false;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace fwd
