// A kernel that remembers what it was told, and fails when asked to.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "fwd/kernel/table.h"

namespace fwd::test {

class FakeFirewall final : public kernel::Firewall {
 public:
  using Firewall::commit;
  Result<void> commit(const rules::Policy& policy, kernel::Generation generation, Mode mode,
                      const kernel::SwitchOver& switch_over) override {
    calls.push_back((mode == Mode::Observe ? "observe " : "commit ") + std::to_string(generation));
    if (on_commit) on_commit();
    if (fail_commits > 0) {
      --fail_commits;
      return failed("write the table", ENOSPC);
    }
    Result<void> switched;
    for (int i = 0; i < switches && switched; ++i) {
      switched = switch_over([&]() -> Result<void> {
        table = kernel::TableState{generation, policy.hash, {}, mode};
        damaged.reset();
        return {};
      });
    }
    if (on_switched) on_switched();
    if (!switched || fail_verifications == 0) return switched;
    --fail_verifications;
    return failed("the kernel's table differs from what was written: rule 1 of chain copy_in", 0);
  }
  Result<std::optional<kernel::TableState>> read() override {
    if (fail_read) return failed("list tables", EPERM);
    return table;
  }
  Result<bool> exists() override {
    if (fail_read) return failed("list tables", EPERM);
    return table.has_value();
  }
  Result<kernel::TableCounters> counters() override { return counted; }
  Result<kernel::CopyCounters> take_copy_counters() override {
    return std::exchange(counted.copy, {});
  }
  Result<kernel::CopyHits> copy_hits(const rules::Policy&) override { return hits; }
  Result<void> shed(std::span<const rules::Address> sources, std::chrono::milliseconds) override {
    for (const rules::Address& source : sources) calls.push_back("shed " + to_string(source));
    return {};
  }
  Result<std::optional<std::string>> damage() override { return table ? damaged : "it is gone"; }
  Result<void> renew_lease(std::chrono::milliseconds) override {
    calls.emplace_back("lease");
    if (!table) return failed("renew the lease", ENOENT);
    return {};
  }
  Result<void> remove() override {
    calls.emplace_back("remove");
    if (fail_remove) return failed("remove the table", EBUSY);
    table.reset();
    return {};
  }
  kernel::QueueExpression queue_expression() const override {
    return kernel::QueueExpression::Compat;
  }

  std::optional<kernel::TableState> table;
  kernel::TableCounters counted;
  kernel::CopyHits hits;
  std::optional<std::string> damaged;
  std::vector<std::string> calls;
  std::function<void()> on_commit;    // before anything is sent
  std::function<void()> on_switched;  // before it is read back
  int switches = 1;                   // at each commit
  int fail_commits = 0;
  int fail_verifications = 0;
  bool fail_read = false;
  bool fail_remove = false;
};

}  // namespace fwd::test
