// What the administrator has switched, and what outlives daemon and machine. Each mark is an empty
// file in the state directory, there or not, so that no crash leaves half of it and `fwd --disable`
// needs no daemon.
#pragma once

#include <string>

#include "fwd/mode.h"
#include "fwd/system_error.h"

namespace fwd::policy {

class Mark {
 public:
  Mark(const std::string& state_directory, const std::string& name)
      : folder_(state_directory), path_(folder_ + '/' + name) {}

  Result<bool> is_set() const;
  Result<void> set(bool there) const;

 private:
  std::string folder_;
  std::string path_;
};

// Whether the firewall is on. It is where nobody has switched it off.
class EnabledMark {
 public:
  explicit EnabledMark(const std::string& state_directory)
      : disabled_(state_directory, "disabled") {}

  Result<bool> read() const;
  Result<void> write(bool enabled) const { return disabled_.set(!enabled); }

 private:
  Mark disabled_;
};

class ModeMark {
 public:
  explicit ModeMark(const std::string& state_directory) : observe_(state_directory, "observe") {}

  Result<Mode> read() const;
  Result<void> write(Mode mode) const { return observe_.set(mode == Mode::Observe); }

 private:
  Mark observe_;
};

}  // namespace fwd::policy
