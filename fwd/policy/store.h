// The policy's files: they are the truth, and what is in them is never lost. PolicyStore reads the
// main file and its includes, and replaces the main file in two steps, so that the kernel can be
// changed between them.
#pragma once

#include <expected>
#include <string>

#include "ctl/api/error.h"
#include "fwd/system_error.h"
#include "rules/include.h"

namespace fwd::policy {

using Error = ctl::api::Error;

// What the system refused, as a request's answer.
inline std::unexpected<Error> internal(const SystemError& error) {
  return std::unexpected(Error{ctl::api::ErrorCode::Internal, error.message(), {}});
}

// New text, safe on disk beside the policy file. Destroyed without publish(), it is gone.
class Draft {
 public:
  Draft(Draft&& other) noexcept
      : temporary_(std::move(other.temporary_)), target_(std::move(other.target_)) {
    other.temporary_.clear();
  }
  Draft& operator=(Draft&&) = delete;
  ~Draft();

  // Takes the policy file's place, in one step.
  Result<void> publish();

 private:
  friend class PolicyStore;
  Draft(std::string temporary, std::string target)
      : temporary_(std::move(temporary)), target_(std::move(target)) {}

  std::string temporary_;  // empty once published
  std::string target_;
};

// By whatever name the main file goes.
bool same(const rules::SourceTree& one, const rules::SourceTree& other);

class PolicyStore {
 public:
  explicit PolicyStore(std::string path);

  const std::string& path() const { return path_; }
  const std::string& name() const {
    return name_;
  }  // "policy.fw": what diagnostics and records call the main file

  // The main file as it is on disk now, and the includes that it names.
  std::expected<rules::SourceTree, Error> read() const;

  // Empty where there is no file.
  Result<std::string> read_main() const;

  // This text as the main file, with the includes that it names from the policy's own folder.
  std::expected<rules::SourceTree, Error> gather(std::string main_text) const;

  // Refuses when a file on disk isn't what was loaded: somebody's work would be lost, or put in
  // force unseen. `includes`: whether the main file has such statements, also where they find nothing.
  std::expected<void, Error> check_unchanged(const rules::SourceTree& loaded, bool includes) const;

  Error changed_by_hand() const;  // of the main file

  // Writes and syncs the draft, with the mode and owner of the policy file if there is one.
  Result<Draft> prepare(const std::string& main_text) const;

 private:
  rules::IncludeReader reader() const;
  std::expected<std::vector<rules::Source>, std::string> find(const std::string& pattern) const;

  std::string path_;
  std::string folder_;
  std::string name_;
};

}  // namespace fwd::policy
