// What is done beside something else.
#pragma once

#include <future>

namespace fwd {

// Runs the task on a thread of its own, or, where the system refuses one, when its result is asked for. The result's destructor waits.
// The task is copied: libstdc++ tries the thread first, and what was moved there would be gone for the second attempt.
template <typename Task>
auto beside(const Task& task) {
  return std::async(std::launch::async | std::launch::deferred, task);
}

}  // namespace fwd
