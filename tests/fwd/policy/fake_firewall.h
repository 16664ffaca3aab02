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
  Result<void> commit(const rules::Policy& policy, kernel::Generation generation,
                      Mode mode) override {
    calls.push_back((mode == Mode::Observe ? "observe " : "commit ") + std::to_string(generation));
    if (on_commit) on_commit();
    if (fail_commits > 0) {
      --fail_commits;
      return failed("write the table", ENOSPC);
    }
    table = kernel::TableState{generation, policy.hash, {}, mode};
    damaged.reset();
    return {};
  }
  Result<std::optional<kernel::TableState>> read() override {
    if (fail_read) return failed("list tables", EPERM);
    return table;
  }
  Result<kernel::TableCounters> counters() override { return counted; }
  Result<kernel::CopyCounters> take_copy_counters() override {
    return std::exchange(counted.copy, {});
  }
  Result<kernel::CopyHits> copy_hits() override { return hits; }
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
  std::function<void()> on_commit;
  int fail_commits = 0;
  bool fail_read = false;
  bool fail_remove = false;
};

}  // namespace fwd::test
