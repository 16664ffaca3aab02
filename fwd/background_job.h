// A job that takes longer than the main thread may be away from its leases: it runs on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace fwd {

class BackgroundJob {
 public:
  explicit BackgroundJob(std::function<void()> job);
  ~BackgroundJob();  // waits for a run that has begun
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  // The job runs once after this call, or once for several that come while it is running.
  void want();

 private:
  void run();

  const std::function<void()> job_;
  std::mutex mutex_;  // of the next two
  bool wanted_ = false;
  bool ending_ = false;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace fwd
