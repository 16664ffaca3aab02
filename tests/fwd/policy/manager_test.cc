#include "fwd/policy/manager.h"

#include <atomic>
#include <chrono>
#include <new>
#include <semaphore>
#include <thread>

#include "tests/fwd/policy/managed.h"

namespace {

using ctl::api::ErrorCode;
using fwd::test::connection_to;
using fwd::test::Managed;
using Calls = std::vector<std::string>;

TEST_CASE("a first start adopts live connections before and after the commit") {
  Managed managed("allow in 80/tcp\n", false);
  REQUIRE(managed.manager->start());
  CHECK(managed.firewall.calls == Calls{"adopt 1", "commit 1", "lease", "adopt 1"});
  CHECK(managed.announced == 1);
  CHECK(managed.consistent());
}

TEST_CASE("a start on an earlier daemon's table takes the next generation and adopts nothing") {
  Managed managed("allow in 80/tcp\n", false);
  managed.firewall.table = fwd::kernel::TableState{63, "old"};
  REQUIRE(managed.manager->start());
  CHECK(managed.firewall.calls == Calls{"commit 1"});
  CHECK(managed.consistent());
}

TEST_CASE("a start that the kernel refuses is an error and leaves the table") {
  Managed managed("allow in 80/tcp\n", false);
  managed.firewall.table = fwd::kernel::TableState{7, "old"};
  managed.firewall.fail_commits = 1;
  const auto started = managed.manager->start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message() == "write the table: No space left on device");
  CHECK(managed.firewall.table->policy_hash == "old");
  CHECK(managed.engine.policy() == nullptr);
}

TEST_CASE("apply replaces the policy, and does nothing when it is in force already") {
  Managed managed("allow in 80/tcp\n");
  const auto applied = managed.manager->apply({{"new.fw", "allow in 443/tcp\n"}, {}});
  REQUIRE(applied);
  CHECK_FALSE(applied->already);
  CHECK(managed.text() == "allow in 443/tcp\n");
  CHECK(managed.manager->state()->active->policy.where(0).file == "policy.fw");
  CHECK(managed.consistent());
  CHECK(managed.manager->apply({{"new.fw", "allow in 443/tcp\n"}, {}})->already);
  managed.firewall.table.reset();
  CHECK_FALSE(managed.manager->apply({{"new.fw", "allow in 443/tcp\n"}, {}})->already);
  CHECK(managed.consistent());
}

TEST_CASE("a broken policy is refused with the sender's file name, and changes nothing") {
  Managed managed("allow in 80/tcp\n");
  const auto applied =
      managed.manager->apply({{"new.fw", "allow in 80/tcp\nallow in 99999/tcp\n"}, {}});
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code == ErrorCode::Syntax);
  REQUIRE(applied.error().diagnostics.size() == 1);
  CHECK(applied.error().diagnostics[0].where.file == "new.fw");
  CHECK(applied.error().message.starts_with("new.fw:2: "));
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.scratch.count() == 1);  // the draft that was begun meanwhile is gone
  CHECK(managed.consistent());
}

TEST_CASE("includes are the daemon's own, and must be what was sent") {
  Managed managed("allow in 80/tcp\n");
  managed.scratch.write("policy.d/a.fw", "allow in 443/tcp\n");
  const std::string main = "include \"policy.d/*.fw\"\n";
  const auto refusal = [&](std::vector<rules::Source> includes) {
    const auto applied = managed.manager->apply({{"policy.fw", main}, std::move(includes)});
    return applied ? "" : applied.error().message;
  };
  CHECK(refusal({}) == "policy.d/a.fw in the policy's folder differs from the one that was sent");
  CHECK(refusal({{"policy.d/a.fw", "allow in 22/tcp\n"}}) ==
        "policy.d/a.fw in the policy's folder differs from the one that was sent");
  CHECK(refusal({{"policy.d/a.fw", "allow in 443/tcp\n"}, {"policy.d/b.fw", "# b\n"}}) ==
        "policy.d/b.fw was sent, but isn't in the policy's folder");
  CHECK(refusal({{"policy.d/a.fw", "allow in 443/tcp\n"}}) == "");
  CHECK(managed.manager->state()->active->policy.where(0).file == "policy.d/a.fw");
  CHECK(managed.consistent());

  const auto removed = managed.manager->remove_rule("1");
  REQUIRE_FALSE(removed);
  CHECK(removed.error().code == ErrorCode::Refused);
  CHECK(removed.error().message.starts_with("policy.d/a.fw:1: "));
}

TEST_CASE("reload takes the files as they are, and a broken file leaves what is in force") {
  Managed managed("allow in 80/tcp\n");
  managed.scratch.write("policy.fw", "allow in 443/tcp\n");
  REQUIRE(managed.manager->reload());
  CHECK(managed.consistent());
  CHECK(managed.generation() == 2);
  managed.scratch.write("policy.fw", "allow in nonsense/tcp\n");
  CHECK_FALSE(managed.manager->reload());
  CHECK(managed.generation() == 2);
  CHECK(managed.manager->state()->sources().main.text == "allow in 443/tcp\n");
}

TEST_CASE("a commit that the kernel refuses leaves file, kernel and workers") {
  Managed managed("allow in 80/tcp\n");
  managed.firewall.fail_commits = 1;
  const auto change = managed.manager->add_rule("allow in 443/tcp", std::nullopt);
  REQUIRE_FALSE(change);
  CHECK(change.error().message == "write the table: No space left on device");
  CHECK(managed.consistent());
  CHECK(managed.generation() == 1);
  CHECK(managed.text() == "allow in 80/tcp\n");
  CHECK(managed.scratch.count() == 1);
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
  CHECK(managed.consistent());
}

TEST_CASE("what the kernel has otherwise than it was sent is taken back under a new generation") {
  Managed managed("allow in 80/tcp\n");
  managed.firewall.fail_verifications = 1;
  const auto change = managed.manager->add_rule("allow in 443/tcp", std::nullopt);
  REQUIRE_FALSE(change);
  CHECK(change.error().message ==
        "the kernel's table differs from what was written: rule 1 of chain copy_in");
  CHECK(managed.firewall.calls == Calls{"commit 2", "commit 3"});
  CHECK(managed.consistent());
  CHECK(managed.text() == "allow in 80/tcp\n");

  managed.firewall.fail_verifications = 1;
  CHECK_FALSE(managed.manager->set_mode(fwd::Mode::Observe));
  CHECK(managed.firewall.calls == Calls{"commit 2", "commit 3", "observe 4", "commit 5"});
  CHECK(managed.consistent());
}

TEST_CASE("what was denied and is taken back has been swept, and is swept again") {
  Managed managed("allow in 80/tcp\n");
  managed.before_sweep = [&](fwd::kernel::Generation generation) {
    managed.firewall.calls.push_back("sweep " + std::to_string(generation));
  };
  managed.firewall.fail_verifications = 1;
  CHECK_FALSE(managed.manager->add_rule("deny in 443/tcp", std::nullopt));
  CHECK(managed.firewall.calls == Calls{"commit 2", "sweep 2", "commit 3", "sweep 3"});
  CHECK(managed.consistent());
}

TEST_CASE("a table that is sent twice is swept for once") {
  Managed managed("allow in 80/tcp\n");
  std::atomic<int> sweeps = 0;
  managed.before_sweep = [&](fwd::kernel::Generation) { ++sweeps; };
  managed.firewall.switches = 2;
  REQUIRE(managed.manager->add_rule("deny in 443/tcp", std::nullopt));
  CHECK(sweeps == 1);
}

TEST_CASE("enabling that fails after the table was written takes the table away again") {
  Managed managed("allow in 80/tcp\n");
  REQUIRE(managed.manager->set_enabled(false));
  managed.firewall.fail_verifications = 1;
  CHECK_FALSE(managed.manager->set_enabled(true));
  CHECK_FALSE(managed.firewall.table);
  CHECK_FALSE(managed.manager->enabled());
}

TEST_CASE("workers are held for no more than the kernel's own part of a commit") {
  Managed managed("allow in 80/tcp\n");
  managed.firewall.on_commit = [&] { CHECK(managed.engine.policy()->version == 1); };
  managed.firewall.on_switched = [&] { CHECK(managed.engine.policy()->version == 2); };
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
}

TEST_CASE("a file that can't be replaced takes the commit back under a new generation") {
  Managed managed("allow in 80/tcp\n");
  const std::string path = managed.scratch.path("policy.fw");
  managed.firewall.on_commit = [&] {
    if (!std::filesystem::is_directory(path)) {
      std::filesystem::remove(path);
      std::filesystem::create_directory(path);
    }
  };
  // Before the kernel gets the old policy back, live connections have been judged by the new one.
  managed.before_sweep = [&](fwd::kernel::Generation generation) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    managed.firewall.calls.push_back("sweep " + std::to_string(generation));
  };
  const auto change = managed.manager->add_rule("deny in 443/tcp", std::nullopt);
  REQUIRE_FALSE(change);
  CHECK(change.error().message == "replace " + path + ": Is a directory");
  CHECK(managed.firewall.calls == Calls{"commit 2", "sweep 2", "commit 3", "sweep 3"});
  CHECK(managed.generation() == 3);
  CHECK(managed.firewall.table->policy_hash == managed.manager->state()->active->policy.hash);
  CHECK(managed.engine.policy() == managed.manager->state()->active);
  CHECK(managed.engine.policy()->policy.rules.size() == 1);
  CHECK(managed.scratch.count() == 1);
}

TEST_CASE("a draft that can't be written stops the change before the kernel") {
  Managed managed("allow in 80/tcp\n");
  std::filesystem::remove(managed.scratch.path("policy.fw"));
  std::filesystem::create_directory(managed.scratch.path("policy.fw"));
  CHECK_FALSE(managed.manager->apply({{"policy.fw", "allow in 443/tcp\n"}, {}}));
  CHECK(managed.firewall.calls.empty());
}

TEST_CASE("a draft that can't be begun stops the change before the kernel") {
  Managed managed("allow in 80/tcp\n");
  std::filesystem::remove(managed.scratch.path("policy.fw"));
  std::filesystem::create_symlink("nowhere", managed.scratch.path("policy.fw"));
  const auto applied = managed.manager->apply({{"policy.fw", "allow in 443/tcp\n"}, {}});
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code == ErrorCode::Internal);
  CHECK(applied.error().message.find("find ") != std::string::npos);
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.engine.policy()->policy.rules.size() == 1);
}

TEST_CASE("disabled means no table, over restarts, and edits go on") {
  Managed managed("allow in 80/tcp\n");
  CHECK(managed.manager->set_enabled(false) == true);
  CHECK(managed.manager->set_enabled(false) == false);
  CHECK_FALSE(managed.firewall.table);
  managed.firewall.calls.clear();
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
  CHECK(managed.firewall.calls.empty());
  CHECK(managed.engine.policy()->policy.rules.size() == 2);
  CHECK(managed.text() == "allow in 80/tcp\nallow in 443/tcp\n");
  CHECK(fwd::policy::EnabledMark(managed.state.path()).read() == false);

  REQUIRE(managed.manager->start());
  CHECK_FALSE(managed.manager->enabled());
  CHECK_FALSE(managed.firewall.table);
  managed.firewall.calls.clear();
  CHECK(managed.manager->set_enabled(true) == true);
  const std::string generation = std::to_string(managed.generation());
  CHECK(managed.firewall.calls ==
        Calls{"adopt " + generation, "commit " + generation, "lease", "adopt " + generation});
  CHECK(managed.consistent());
}

TEST_CASE("a switch that fails stays as it was") {
  Managed managed("allow in 80/tcp\n");
  const fwd::policy::EnabledMark mark(managed.state.path());
  managed.firewall.fail_remove = true;
  CHECK_FALSE(managed.manager->set_enabled(false));
  CHECK(managed.manager->enabled());
  CHECK(mark.read() == true);
  managed.firewall.fail_remove = false;
  REQUIRE(managed.manager->set_enabled(false));
  managed.firewall.fail_commits = 1;
  CHECK_FALSE(managed.manager->set_enabled(true));
  CHECK_FALSE(managed.manager->enabled());
  CHECK(mark.read() == false);
}

TEST_CASE("a mode is a commit of its own, and outlives a restart") {
  Managed managed("allow in 80/tcp\n");
  CHECK(managed.manager->set_mode(fwd::Mode::Enforce) == false);
  CHECK(managed.manager->set_mode(fwd::Mode::Observe) == true);
  CHECK(managed.manager->set_mode(fwd::Mode::Observe) == false);
  CHECK(managed.firewall.calls == Calls{"observe 2"});
  CHECK(managed.engine.policy()->mode == fwd::Mode::Observe);
  CHECK(managed.consistent());
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
  REQUIRE(managed.manager->start());
  CHECK(managed.firewall.calls == Calls{"observe 2", "observe 3", "observe 4"});
  CHECK(managed.manager->set_mode(fwd::Mode::Enforce) == true);
  CHECK(managed.firewall.calls.back() == "commit 5");
  REQUIRE(managed.manager->start());
  CHECK(managed.firewall.calls.back() == "commit 6");
  CHECK(managed.consistent());
}

TEST_CASE("a mode that can't be changed stays as it was") {
  Managed managed("allow in 80/tcp\n");
  const fwd::policy::ModeMark mark(managed.state.path());
  managed.firewall.fail_commits = 1;
  CHECK_FALSE(managed.manager->set_mode(fwd::Mode::Observe));
  CHECK(mark.read() == fwd::Mode::Enforce);
  REQUIRE(managed.manager->reload());
  CHECK(managed.engine.policy()->mode == fwd::Mode::Enforce);
}

TEST_CASE("observe mode is kept while the firewall is disabled") {
  Managed managed("allow in 80/tcp\n");
  REQUIRE(managed.manager->set_enabled(false));
  CHECK(managed.manager->set_mode(fwd::Mode::Observe) == true);
  CHECK_FALSE(managed.firewall.table);
  REQUIRE(managed.manager->set_enabled(true));
  CHECK(managed.firewall.table->mode == fwd::Mode::Observe);
}

TEST_CASE("a table that vanished comes back, unless somebody disabled the firewall") {
  Managed managed("allow in 80/tcp\n");
  REQUIRE(managed.manager->restore());
  CHECK(managed.firewall.calls.empty());
  managed.firewall.table.reset();
  REQUIRE(managed.manager->restore());
  CHECK(managed.consistent());
  managed.firewall.table.reset();
  REQUIRE(fwd::policy::EnabledMark(managed.state.path()).write(false));
  REQUIRE(managed.manager->restore());
  CHECK_FALSE(managed.firewall.table);
  CHECK_FALSE(managed.manager->enabled());
}

TEST_CASE("every policy that comes into force is kept, with what it includes") {
  Managed managed("allow in 80/tcp\n");
  const fwd::policy::LastGood last_good(managed.state.path());
  // It is written on a thread of its own.
  const auto kept = [&] {
    const auto& now = managed.manager->state()->sources();
    for (int i = 0; i < 5000; ++i) {
      const auto found = last_good.read().value();
      if (found && fwd::policy::same(*found, now)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  };
  CHECK(kept());
  managed.scratch.write("policy.d/a.fw", "allow in 443/tcp\n");
  managed.scratch.write("policy.fw", "include \"policy.d/*.fw\"\n");
  REQUIRE(managed.manager->reload());
  CHECK(kept());
  REQUIRE(managed.manager->add_rule("allow in 22/tcp", std::nullopt));
  CHECK(managed.manager->state()->sources().main.text == managed.text());
  CHECK(kept());
}

TEST_CASE("a policy that doesn't come into force is not kept") {
  Managed managed("allow in 80/tcp\n");
  managed.firewall.fail_commits = 1;
  REQUIRE_FALSE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
  managed.scratch.write("policy.fw", "nonsense\n");
  REQUIRE_FALSE(managed.manager->reload());
  managed.manager.reset();
  CHECK(fwd::policy::LastGood(managed.state.path()).read()->value().main.text ==
        "allow in 80/tcp\n");
  CHECK(managed.state.count() == 1);
}

TEST_CASE("a change is done although it can't be kept for the next boot") {
  Managed managed("allow in 80/tcp\n");
  std::filesystem::remove(managed.state.path("last_good.json"));
  managed.state.write("last_good.json/file", "");
  REQUIRE(managed.manager->add_rule("allow in 443/tcp", std::nullopt));
  CHECK(managed.consistent());
  managed.manager.reset();
  CHECK(managed.state.count() == 1);
}

TEST_CASE("generations wrap and never are zero") {
  Managed managed("allow in 80/tcp\n");
  for (int i = 0; i < 70; ++i) REQUIRE(managed.manager->reload());
  CHECK(managed.generation() == 8);
  CHECK(managed.consistent());
}

TEST_CASE("a change cuts the live connections that it denies, and each is told") {
  Managed managed("allow in 80/tcp\nallow in 443/tcp\n");
  managed.live = {connection_to(80), connection_to(443)};
  const auto removed = managed.manager->remove_rule("allow 80/tcp");
  REQUIRE(removed);
  CHECK(removed->cut == 1);
  CHECK(managed.manager->state()->cut == 1);
  REQUIRE(managed.records.size() == 1);
  CHECK(managed.records[0].judgement.reason == fwd::engine::Reason::Revoked);
  CHECK(managed.records[0].judgement.packet.destination_port == 80);
  CHECK(managed.live.size() == 1);
}

TEST_CASE("what depends on the interface is left to the next packet") {
  Managed managed("allow in on eth0 proto tcp to any port 80\n");
  managed.live = {connection_to(80)};
  const auto added = managed.manager->add_rule("deny in 443/tcp", std::nullopt);
  REQUIRE(added);
  CHECK(added->cut == 0);
  CHECK(managed.live.size() == 1);
}

TEST_CASE("a rule that allows is in force before live connections are judged again") {
  Managed managed("allow in 80/tcp\n");
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> may_end(0);
  std::vector<unsigned> generations;
  managed.before_sweep = [&](fwd::kernel::Generation generation) {
    generations.push_back(generation);
    begun.release();
    may_end.acquire();
  };
  const auto added = managed.manager->add_rule("allow in 443/tcp", std::nullopt);
  REQUIRE(added);
  CHECK(managed.consistent());
  begun.acquire();
  may_end.release(2);
  REQUIRE(managed.manager->add_rule("deny in 25/tcp", 1));  // waits for both sweeps
  CHECK(generations == std::vector<unsigned>{2, 3});
}

TEST_CASE(
    "a connection that is now rejected is cut, and recorded with the packet that is answered") {
  Managed managed("allow in 80/tcp\n");
  managed.live = {connection_to(80)};
  const auto added = managed.manager->add_rule("reject in 80/tcp", 1);
  REQUIRE(added);
  CHECK(added->cut == 1);
  CHECK(managed.records.empty());
}

TEST_CASE("a diff tells what would be cut and cuts nothing") {
  Managed managed("allow in 80/tcp\n");
  managed.live = {connection_to(80)};
  const auto difference = managed.manager->diff({{"new.fw", "allow in 443/tcp\n"}, {}});
  REQUIRE(difference);
  CHECK(difference->cut.size() == 1);
  CHECK(difference->policy.removed.size() == 1);
  CHECK(difference->policy.added.size() == 1);
  CHECK(managed.live.size() == 1);
  CHECK(managed.records.empty());
  CHECK(managed.generation() == 1);
}

TEST_CASE("a diff tells a text that means the same from the same text") {
  const std::string text = "allow in 80/tcp\n";
  Managed managed(text);
  const auto same = managed.manager->diff({{"new.fw", text}, {}});
  REQUIRE(same);
  CHECK_FALSE(same->text_differs);
  const auto commented = managed.manager->diff({{"new.fw", "# web\n" + text}, {}});
  REQUIRE(commented);
  CHECK(commented->policy.empty());
  CHECK(commented->text_differs);
}

TEST_CASE("a sweep that fails undoes nothing: packets are judged on their way") {
  Managed managed("allow in 80/tcp\n");
  SECTION("because the kernel refuses") {
    managed.fail_sweep = true;
  }
  SECTION("because memory runs out") {
    managed.before_sweep = [](fwd::kernel::Generation) { throw std::bad_alloc(); };
  }
  const auto added = managed.manager->add_rule("deny in 443/tcp", std::nullopt);
  REQUIRE(added);
  CHECK(added->cut == 0);
  CHECK(managed.consistent());
}

TEST_CASE("live connections are judged again while the new file takes the old one's place") {
  Managed managed("allow in 80/tcp\n");
  managed.live = {connection_to(80)};
  bool replaced = false;
  managed.before_sweep = [&](fwd::kernel::Generation) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!replaced && std::chrono::steady_clock::now() < deadline)
      replaced = managed.text().starts_with("deny");
  };
  const auto added = managed.manager->add_rule("deny in 80/tcp", 1);
  REQUIRE(added);
  CHECK(replaced);
  CHECK(added->cut == 1);
  CHECK(managed.consistent());
}

}  // namespace
