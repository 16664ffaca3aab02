// Trouble with something that is tried again and again: logged when it begins or changes, and when it is
// over. Any thread.
#pragma once

#include <mutex>
#include <string>

namespace fwd {

class Complaint {
 public:
  explicit Complaint(std::string about) : about_(std::move(about)) {}

  void trouble(const std::string& message);
  void none();

  std::string last() const;  // empty while there is none

 private:
  const std::string about_;
  mutable std::mutex mutex_;
  std::string last_;
};

}  // namespace fwd
