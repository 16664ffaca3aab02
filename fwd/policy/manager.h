// PolicyManager: every change of the policy, one at a time. A change goes from its text through
// build() to the disk, the kernel and the workers; when any step fails, all of them stay as they
// were.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fwd/policy/build.h"
#include "fwd/policy/installer.h"
#include "fwd/policy/last_good.h"
#include "fwd/policy/marks.h"
#include "fwd/policy/store.h"
#include "rules/edit.h"
#include "rules/policy_diff.h"

namespace fwd::policy {

template <typename T>
using Outcome = std::expected<T, Error>;

// Gives the text of /etc/services, read anew at each load.
using ReadServices = std::function<Result<std::string>()>;

// A policy as it is on disk, built, with nothing changed by it.
struct Loaded {
  rules::Services services;
  Built built;
};
Outcome<Loaded> load(const PolicyStore& store, const ReadServices& read_services,
                     const Stamp& stamp);

// What is in force, as one immutable whole.
struct InForce {
  rules::Outline outline;  // of the sources
  Active active;
  std::chrono::system_clock::time_point since;
  std::size_t cut = 0;  // live connections, when it was put in force

  const rules::SourceTree& sources() const { return *active->policy.sources; }
};
using State = std::shared_ptr<const InForce>;

struct Applied {
  State state;
  std::vector<rules::Diagnostic> warnings;
  bool already = false;  // nothing was to be done
  std::size_t cut = 0;   // live connections that the policy before allowed
};

struct RuleChange {
  State state;            // that has the rule: the one before, where it was removed
  std::size_t index = 0;  // into its policy's rules
  std::vector<rules::Diagnostic> warnings;  // about this rule
  bool already = false;
  std::size_t cut = 0;
  bool updated = false;  // was there already, with another comment or log
};

// What a policy would change.
struct Difference {
  rules::PolicyDiff policy;
  bool text_differs = false;  // also where it means the same
  Active active;              // of the new policy, in force nowhere
  std::vector<kernel::JudgedConnection> cut;
  std::vector<rules::Diagnostic> warnings;
};

struct SetChange {
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

class PolicyManager {
 public:
  // `state_directory` has the marks of what is switched, and the policy for a boot to fall back on.
  PolicyManager(PolicyStore store, const std::string& state_directory, Installer installer,
                ReadServices read_services, Loaded loaded);

  // Puts what was loaded in force, unless the firewall is disabled.
  Result<void> start();

  // Whether these texts are a policy; changes nothing and looks at no file.
  Outcome<Built> check(const rules::SourceTree& sources) const;

  // What apply() would do, without doing it.
  Outcome<Difference> diff(const rules::SourceTree& sources) const;

  // Replaces the main file. The includes must be those on disk.
  Outcome<Applied> apply(rules::SourceTree sources);
  Outcome<Applied> reload();

  // `position` is the number the rule is to have; the end where absent. A rule that is there stays
  // where it is; only its comment and log become those of the text, where that says some.
  Outcome<RuleChange> add_rule(const std::string& text, std::optional<std::size_t> position);
  // By number, by id or its unique beginning, or by text.
  Outcome<RuleChange> remove_rule(const std::string& selection);
  Outcome<Applied> change_set(const std::string& name, const SetChange& change);

  // False: it was so already.
  Outcome<bool> set_enabled(bool enabled);
  bool enabled() const { return enabled_; }

  // A commit of its own, so live connections are judged again: those that observe mode let through
  // are cut when the policy is enforced. False: it was so already.
  Outcome<bool> set_mode(Mode mode);

  // Puts a table back that somebody else has changed or taken away: false where `fwd --disable` did,
  // or where nothing is wrong with it any more.
  Result<bool> restore();

  State state() const;
  const PolicyStore& store() const { return store_; }

 private:
  Stamp next_stamp() const;
  using Sources = std::shared_ptr<const rules::SourceTree>;
  // The new file, on its way to the disk while the policy is built. Without one nothing is to be written.
  using Writing = std::future<Outcome<Draft>>;
  Writing write_draft(Sources sources) const;
  Outcome<Draft> prepare(const rules::SourceTree& sources) const;
  Outcome<void> check_unchanged(const InForce& now) const {
    return store_.check_unchanged(now.sources(), !now.outline.includes.empty());
  }
  Outcome<Applied> commit(Sources sources, Writing writing);
  Outcome<Applied> commit_written(Built built, Writing writing,
                                  LiveEffect effect = LiveEffect::MayCut);
  Outcome<Applied> commit_built(Built built, std::optional<Draft> draft,
                                LiveEffect effect = LiveEffect::MayCut);
  using MakeEdit = std::function<rules::Edited(const rules::EditBase& base)>;
  Outcome<Applied> commit_edit(const MakeEdit& make);
  Outcome<Applied> commit_text(const std::string& main_text);
  Outcome<RuleChange> update_rule(std::size_t index, rules::Remarks remarks);
  Result<Cut> enforce(const Active& active, LiveEffect effect = LiveEffect::MayCut);
  Result<void> enforce_again();
  void take_back();
  void set_state(rules::Outline outline, Active active, std::size_t cut);
  bool in_force() const;

  const PolicyStore store_;
  const EnabledMark enabled_mark_;
  const ModeMark mode_mark_;
  LastGoodKeeper last_good_;
  const ReadServices read_services_;

  mutable std::mutex change_mutex_;  // held through every change; guards the next five
  mutable Installer installer_;
  rules::Services services_;
  kernel::Generation generation_ = 0;  // the last one that the kernel had
  std::uint64_t version_ = 0;
  Mode mode_ = Mode::Enforce;

  std::atomic<bool> enabled_{true};
  mutable std::mutex state_mutex_;  // guards state_
  State state_;
};

}  // namespace fwd::policy
