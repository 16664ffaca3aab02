// The texts of the policy that was in force last, in one file of the state directory: what a boot
// falls back on when the policy file is broken.
#pragma once

#include <optional>
#include <string>

#include "fwd/system_error.h"
#include "rules/include.h"

namespace fwd::policy {

class LastGood {
 public:
  explicit LastGood(const std::string& state_directory)
      : path_(state_directory + "/last_good.json") {}

  const std::string& path() const { return path_; }

  // Nothing where no policy has ever been in force.
  Result<std::optional<rules::SourceTree>> read() const;

  // In one step, and safe on disk when it returns. Does nothing where it is there already.
  Result<void> keep(const rules::SourceTree& sources) const;

 private:
  std::string path_;
};

}  // namespace fwd::policy
