// libFuzzer's way into rules::decode().
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/packet_property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto broken = tests::broken_packet_property(std::as_bytes(std::span{data, size}));
  if (broken.empty()) return 0;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(broken.size()), broken.data());
  std::abort();
}
