// The texts of the policy that was in force last, in one file of the state directory: what a boot
// falls back on when the policy file is broken.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "fwd/background_job.h"
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

// Keeps them on a thread of its own: no change waits for it, since what is kept counts only where the policy's file is
// broken at the next boot.
class LastGoodKeeper {
 public:
  explicit LastGoodKeeper(const std::string& state_directory);
  ~LastGoodKeeper();  // waits until all is kept

  // Of several that follow one another quickly only the last one may be written.
  void keep(std::shared_ptr<const rules::SourceTree> sources);

 private:
  void write();

  const LastGood last_good_;
  std::mutex mutex_;  // of the next one
  std::shared_ptr<const rules::SourceTree> next_;
  std::optional<BackgroundJob> writing_;
};

}  // namespace fwd::policy
