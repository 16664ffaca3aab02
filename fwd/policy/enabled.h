// Whether the administrator has switched the firewall off; it outlives daemon and machine. The mark
// is an empty file in the state directory, so that no crash leaves half of it and `fwd --disable`
// needs no daemon.
#pragma once

#include <string>

#include "fwd/system_error.h"

namespace fwd::policy {

class EnabledMark {
 public:
  explicit EnabledMark(const std::string& state_directory)
      : folder_(state_directory), path_(folder_ + "/disabled") {}

  Result<bool> read() const;
  Result<void> write(bool enabled) const;

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace fwd::policy
