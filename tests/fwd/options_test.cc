#include "fwd/options.h"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace {

auto parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "fwd");
  return fwd::parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST_CASE("without arguments the paths are those of the package") {
  const auto options = parse({});
  REQUIRE(options);
  CHECK(options->policy == "/etc/fwd/policy.fw");
  CHECK(options->config == "/etc/fwd/fwd.toml");
  CHECK(options->socket == "/run/fwd/fwd.sock");
  CHECK(options->state_directory() == "/var/lib/fwd");
  CHECK_FALSE(options->state);
  CHECK(options->audit == "/var/log/fwd/audit.json");
  CHECK_FALSE(options->queues);
}

TEST_CASE("every option is taken") {
  const auto options = parse({"--policy", "p", "--config", "c", "--socket", "s", "--state", "d",
                              "--audit", "a", "--queues", "3:4", "--check"});
  REQUIRE(options);
  CHECK(options->policy == "p");
  CHECK(options->config == "c");
  CHECK(options->socket == "s");
  CHECK(options->state == "d");
  CHECK(options->audit == "a");
  CHECK(options->queues->first == 3);
  CHECK(options->queues->last == 4);
  CHECK(options->check);
}

TEST_CASE("the kernel can be loaded alone") {
  CHECK(parse({"--load-kernel-only"})->load_kernel_only);
  CHECK_FALSE(parse({})->load_kernel_only);
}

// What is said on stderr.
std::string complaint(const std::vector<const char*>& arguments) {
  std::fflush(stderr);
  const int saved = dup(STDERR_FILENO);
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  dup2(fileno(file), STDERR_FILENO);
  const auto options = parse(arguments);
  std::fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  REQUIRE(std::fseek(file, 0, SEEK_SET) == 0);
  std::array<char, 256> buffer{};
  const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file);
  std::fclose(file);
  CHECK(options.error() == 2);
  return {buffer.data(), size};
}

TEST_CASE("an unknown option is told before anything else that is wrong") {
  const std::string told = "fwd: unknown option \"--polcy\": did you mean \"--policy\"?\n";
  CHECK(complaint({"--polcy", "x"}) == told);
  CHECK(complaint({"--polcy=x"}) == told);
  CHECK(complaint({"--queues", "4:3", "--check", "--disable", "--polcy", "x", "y"}) == told);
  CHECK(complaint({"-x"}) == "fwd: unknown option \"-x\": see fwd --help\n");
}

TEST_CASE("wrong usage is exit status 2, version and help are 0") {
  CHECK(parse({"--nonsense"}).error() == 2);
  CHECK(parse({"operand"}).error() == 2);
  CHECK(parse({"--queues", "4:3"}).error() == 2);
  CHECK(parse({"--policy"}).error() == 2);
  CHECK(parse({"--check", "--disable"}).error() == 2);
  CHECK(parse({"--load-kernel-only", "--disable"}).error() == 2);
  CHECK(parse({"--version"}).error() == 0);
  CHECK(parse({"--help"}).error() == 0);
}

}  // namespace
