#include "fwd/policy/store.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "fwd/policy/marks.h"
#include "tests/fwd/full_disk.h"
#include "tests/fwd/scratch.h"

namespace {

using fwd::policy::PolicyStore;
using fwd::test::FullDisk;
using fwd::test::Scratch;

struct stat status_of(const std::string& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status;
}

TEST_CASE("a published draft replaces the file's bytes and keeps its mode and owner") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "# old\n"));
  REQUIRE(chmod(store.path().c_str(), 0640) == 0);
  if (getuid() == 0) REQUIRE(chown(store.path().c_str(), 1234, 4321) == 0);
  const auto before = status_of(store.path());

  auto draft = store.prepare("# new\r\n\tallow in 80/tcp");
  REQUIRE(draft);
  CHECK(scratch.read("policy.fw") == "# old\n");
  REQUIRE(draft->publish());
  CHECK(scratch.read("policy.fw") == "# new\r\n\tallow in 80/tcp");
  const auto after = status_of(store.path());
  CHECK(after.st_mode == before.st_mode);
  CHECK(after.st_uid == before.st_uid);
  CHECK(after.st_gid == before.st_gid);
  CHECK(after.st_ino != before.st_ino);
  CHECK(scratch.count() == 1);
}

TEST_CASE("a draft that isn't published leaves nothing behind") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "# old\n"));
  {
    const auto draft = store.prepare("# new\n");
    REQUIRE(draft);
    CHECK(scratch.count() == 2);
  }
  CHECK(scratch.count() == 1);
  CHECK(scratch.read("policy.fw") == "# old\n");
}

TEST_CASE("a full disk is an error that leaves the file and no draft") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "# old\n"));
  const auto draft = [&] {
    const FullDisk full;
    return store.prepare("# new\n");
  }();
  REQUIRE_FALSE(draft);
  CHECK(draft.error().code == EFBIG);
  CHECK(draft.error().what.starts_with(scratch.path("policy.fw.")));
  CHECK(scratch.count() == 1);
  CHECK(scratch.read("policy.fw") == "# old\n");
}

TEST_CASE("a policy file that is a link stays one") {
  const Scratch scratch;
  scratch.write("real/policy.fw", "# old\n");
  REQUIRE(symlink("real/policy.fw", scratch.path("policy.fw").c_str()) == 0);
  const PolicyStore store(scratch.path("policy.fw"));
  REQUIRE(store.prepare("# new\n")->publish());
  CHECK(S_ISLNK(status_of(store.path()).st_mode));
  CHECK(scratch.read("real/policy.fw") == "# new\n");
}

TEST_CASE("a rename that fails is an error, and the draft goes") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "# old\n"));
  {
    auto draft = store.prepare("# new\n");
    REQUIRE(draft);
    std::filesystem::remove(store.path());
    std::filesystem::create_directory(store.path());
    CHECK_FALSE(draft->publish());
  }
  CHECK(scratch.count() == 1);
}

TEST_CASE("reading gathers the includes of the policy's own folder, in order") {
  const Scratch scratch;
  const PolicyStore store(
      scratch.write("policy.fw", "include \"policy.d/*.fw\"\nallow in 80/tcp\n"));
  scratch.write("policy.d/b.fw", "# b\n");
  scratch.write("policy.d/a.fw", "# a\n");
  scratch.write("policy.d/a.txt", "# no\n");
  const auto tree = store.read();
  REQUIRE(tree);
  CHECK(tree->main.name == "policy.fw");
  REQUIRE(tree->includes.size() == 2);
  CHECK(tree->includes[0].name == "policy.d/a.fw");
  CHECK(tree->includes[0].text == "# a\n");
  CHECK(tree->includes[1].name == "policy.d/b.fw");
}

TEST_CASE("an include that isn't there is an error at its line, a wildcard may find nothing") {
  const Scratch scratch;
  const PolicyStore store(
      scratch.write("policy.fw", "# first\ninclude \"a.fw\"\ninclude \"none/*.fw\"\n"));
  const auto tree = store.read();
  REQUIRE_FALSE(tree);
  REQUIRE(tree.error().diagnostics.size() == 1);
  CHECK(tree.error().diagnostics[0].where.line == 2);
  CHECK(tree.error().message == "there is no file " + scratch.path("a.fw"));
}

TEST_CASE("a pattern finds nothing in a folder that isn't there") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "include \"none/*.fw\"\n"));
  const auto tree = store.read();
  REQUIRE(tree);
  CHECK(tree->includes.empty());
  CHECK(store.check_unchanged(*tree, true));
}

TEST_CASE("a missing policy says how to make one") {
  const Scratch scratch;
  const auto tree = PolicyStore(scratch.path("policy.fw")).read();
  REQUIRE_FALSE(tree);
  CHECK(tree.error().message ==
        "there is no policy " + scratch.path("policy.fw") +
            "; a first one that keeps ssh open: printf 'allow in ssh\\n' > " +
            scratch.path("policy.fw"));
}

TEST_CASE("what isn't a file is no policy, and nobody waits for it") {
  const Scratch scratch;
  REQUIRE(mkfifo(scratch.path("policy.fw").c_str(), 0600) == 0);
  const auto tree = PolicyStore(scratch.path("policy.fw")).read();
  REQUIRE_FALSE(tree);
  CHECK(tree.error().message == scratch.path("policy.fw") + " is not a regular file");
}

TEST_CASE("a change by hand is noticed in the main file and in every include") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "include \"d/*.fw\"\n"));
  scratch.write("d/a.fw", "# a\n");
  const auto loaded = store.read();
  REQUIRE(loaded);
  CHECK(store.check_unchanged(*loaded, true));

  const auto refusal = [&] { return store.check_unchanged(*loaded, true).error().message; };
  scratch.write("d/b.fw", "# b\n");
  CHECK(refusal() ==
        "the set of includes was changed by hand since it was loaded: run `fwctl apply` on the "
        "policy or reload first");
  std::filesystem::remove(scratch.path("d/b.fw"));
  scratch.write("d/a.fw", "# changed\n");
  CHECK(refusal().starts_with(scratch.path("d/a.fw") + " was changed by hand"));
  scratch.write("d/a.fw", "# a\n");
  CHECK(store.check_unchanged(*loaded, true));
  scratch.write("policy.fw", "include \"d/*.fw\"\n\n");
  CHECK(refusal().starts_with(store.path() + " was changed by hand"));
  std::filesystem::remove(store.path());
  CHECK(refusal().starts_with(store.path() + " was changed by hand"));
}

TEST_CASE("a change by hand is noticed where the main file includes nothing") {
  const Scratch scratch;
  const PolicyStore store(scratch.write("policy.fw", "# ours\n"));
  const auto loaded = store.read();
  REQUIRE(loaded);
  CHECK(store.check_unchanged(*loaded, false));
  scratch.write("policy.fw", "# ours \n");
  CHECK_FALSE(store.check_unchanged(*loaded, false));
  scratch.write("policy.fw", "# ours\n#");
  CHECK_FALSE(store.check_unchanged(*loaded, false));
}

TEST_CASE("the firewall is enabled until somebody disables it") {
  const Scratch scratch;
  const fwd::policy::EnabledMark mark(scratch.path());
  CHECK(mark.read() == true);
  REQUIRE(mark.write(false));
  REQUIRE(mark.write(false));
  CHECK(mark.read() == false);
  CHECK(fwd::policy::EnabledMark(scratch.path()).read() == false);
  REQUIRE(mark.write(true));
  REQUIRE(mark.write(true));
  CHECK(mark.read() == true);
  CHECK_FALSE(fwd::policy::EnabledMark(scratch.path("nowhere")).write(false));
}

}  // namespace
