#include "ctl/policy_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using namespace ctl;

namespace {

class PolicyFolder {
 public:
  PolicyFolder() {
    // Characters that glob(3) would take for a pattern.
    std::string pattern = (std::filesystem::temp_directory_path() / "fwctl[1]*-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~PolicyFolder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

// What check says, or all errors as a person sees them.
std::string check(const std::string& path) {
  const auto tree = read_policy(path);
  const auto checked = tree ? check_policy(*tree, read_services()) : std::unexpected(tree.error());
  if (checked)
    return std::to_string(checked->rules) + " rules, " + std::to_string(checked->warnings.size()) +
           " warnings";
  std::string text = checked.error().diagnostics.empty() ? checked.error().message : "";
  for (const auto& diagnostic : checked.error().diagnostics) text += rules::render(diagnostic);
  return text;
}

}  // namespace

TEST_CASE("a policy is read with its includes, by their names below its folder") {
  const PolicyFolder folder;
  folder.write("policy.d/b.fw", "allow 81/tcp\n");
  folder.write("policy.d/a.fw", "allow 80/tcp\n");
  folder.write("policy.d/a.txt", "nonsense\n");
  folder.write("policy.d/.hidden.fw", "nonsense\n");
  const auto tree = read_policy(folder.write("policy.fw", "include \"policy.d/*.fw\"\n"));
  REQUIRE(tree);
  CHECK(tree->main.name == "policy.fw");
  REQUIRE(tree->includes.size() == 2);
  CHECK(tree->includes[0].name == "policy.d/a.fw");
  CHECK(tree->includes[0].text == "allow 80/tcp\n");
  CHECK(tree->includes[1].name == "policy.d/b.fw");
}

TEST_CASE("a pattern finds nothing in a folder that isn't there, a name has to be there") {
  const PolicyFolder folder;
  CHECK(check(folder.write("policy.fw", "include \"policy.d/*.fw\"\nallow ssh\n")) ==
        "1 rules, 0 warnings");
  CHECK(check(folder.write("policy.fw", "include \"policy.d/web.fw\"\nallow ssh\n")) ==
        "policy.fw:1:1: error: there is no file \"policy.d/web.fw\"\n"
        "include \"policy.d/web.fw\"\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~\n");
}

TEST_CASE("check looks at everything but the kernel") {
  const PolicyFolder folder;
  CHECK(check(folder.write("good.fw",
                           "allow ssh\nexpect allow tcp 192.0.2.1 to 192.0.2.2 port 22\n")) ==
        "1 rules, 0 warnings");
  CHECK(check(folder.write("warn.fw",
                           "allow 22/tcp\ndeny in proto tcp from 192.0.2.1 to any port 22\n")) ==
        "2 rules, 1 warnings");
  CHECK(check(folder.write("set.fw", "set peers = { 192.0.2.1 }\nallow in from @peer\n")) ==
        "set.fw:2:15: error: unknown set \"peer\"\n"
        "allow in from @peer\n"
        "              ^~~~~\n"
        "hint: did you mean \"@peers\"?\n");
  const std::string claim =
      check(folder.write("claim.fw", "expect allow tcp 192.0.2.1 to 192.0.2.2 port 22\n"));
  CHECK(claim.starts_with("claim.fw:1:1: error: "));
}

TEST_CASE("a file that can't be read is named") {
  const PolicyFolder folder;
  const auto missing = read_policy("/nowhere/policy.fw");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == api::ErrorCode::NotFound);
  CHECK(missing.error().message == "can't read /nowhere/policy.fw: No such file or directory");
  CHECK(read_policy("/").error().message == "can't read /: Is a directory");
  const std::string main = folder.write("policy.fw", "allow ssh\ninclude \"policy.d/a.fw\"\n");
  CHECK(check(main).starts_with("policy.fw:2:1: error: there is no file \"policy.d/a.fw\""));
  folder.write("policy.d/a.fw/x", "");
  CHECK(check(main).find("Is a directory") != std::string::npos);
}

TEST_CASE("an endless file ends as one that is too long") {
  CHECK(check("/dev/zero") == "zero: error: the policy has more than 16 MB in all\n");
}

TEST_CASE("text that JSON would change isn't sent") {
  CHECK(check_sendable({"a.fw", "allow ssh comment \"\xc3\xa4\"\n"}));
  const auto bad = check_sendable({"a.fw", "allow ssh comment \"\xe4\"\n"});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == api::ErrorCode::Syntax);
}
