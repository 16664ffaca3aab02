// A kernel that remembers what it was told, and fails when asked to.
#pragma once

#include <functional>
#include <string>
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
    return {};
  }
  Result<std::optional<kernel::TableState>> read() override {
    if (fail_read) return failed("list tables", EPERM);
    return table;
  }
  Result<kernel::TableCounters> counters() override { return kernel::TableCounters{}; }
  Result<void> renew_lease(std::chrono::milliseconds) override {
    calls.emplace_back("lease");
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
  std::vector<std::string> calls;
  std::function<void()> on_commit;
  int fail_commits = 0;
  bool fail_read = false;
  bool fail_remove = false;
};

}  // namespace fwd::test
