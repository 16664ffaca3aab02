// libFuzzer's way into the policy language: text to policy, to text again, and to a classifier.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/policy_property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto broken = tests::broken_policy_property(text);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(broken.size()), broken.data());
  std::abort();
}
