// The fuzzers' corpora as ordinary tests: what once was found, or is worth starting from.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <catch2/catch.hpp>

#include "tests/fuzz/packet_property.h"
#include "tests/fuzz/policy_property.h"

namespace {

// Tests run in the project's top folder.
int replay(const std::filesystem::path& folder,
           const std::function<std::string_view(const std::string&)>& broken) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string content{std::istreambuf_iterator<char>{file},
                              std::istreambuf_iterator<char>{}};
    INFO(entry.path().string());
    const std::string property{broken(content)};
    INFO("broken: " << property);
    CHECK(property.empty());
    ++files;
  }
  return files;
}

}  // namespace

TEST_CASE("the packets of the fuzzer's corpus keep what decode() promises") {
  CHECK(replay("tests/fuzz/corpus/packet", [](const std::string& content) {
          return tests::broken_packet_property(std::as_bytes(std::span{content}));
        }) > 0);
}

TEST_CASE("the policies of the fuzzer's corpus keep what the language promises") {
  CHECK(replay("tests/fuzz/corpus/policy", &tests::broken_policy_property) > 0);
}
