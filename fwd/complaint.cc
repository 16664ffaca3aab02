#include "fwd/complaint.h"

#include "fwd/log.h"

namespace fwd {

void Complaint::trouble(const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (message == last_) return;
  last_ = message;
  log::warning("{}: {}", about_, message);
}

void Complaint::none() {
  const std::lock_guard lock(mutex_);
  if (last_.empty()) return;
  last_.clear();
  log::info("{}: works again", about_);
}

std::string Complaint::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace fwd
