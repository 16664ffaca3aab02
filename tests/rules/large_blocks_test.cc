#include "rules/large_blocks.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <malloc.h>

namespace {

struct Free {
  void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Free>;

Block block(std::size_t size) {
  return Block(rules::allocate(size));
}

// What the kernel says of the mapping that holds the address (proc_pid_smaps(5)): "rd wr mr mw me ac hg".
std::string flags_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2)
      inside = first <= wanted && wanted < last;
    if (inside && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

bool on_huge_pages(const char* address) {
  return flags_at(address).find(" hg") != std::string::npos;
}

}  // namespace

TEST_CASE("A block of any size can be written to its end") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, rules::kLargeBlock - 1,
                                 rules::kLargeBlock, rules::kLargeBlock + rules::kHugePage / 2}) {
    const Block memory = block(size);
    REQUIRE(memory);
    std::memset(memory.get(), 0x5a, size);
  }
}

TEST_CASE("A block that becomes free has room for the next one, which is a little larger") {
  const std::size_t text = 650'000;
  const Block memory = block(text);
  CHECK(malloc_usable_size(memory.get()) >= text + text / 200);
  const std::size_t small = rules::kRoomyBlock / 2;
  CHECK(malloc_usable_size(block(small).get()) < small + 64);
}

TEST_CASE("Large blocks are on huge pages, but for their last part") {
  const Block large = block(rules::kLargeBlock + rules::kHugePage / 2);
  REQUIRE(reinterpret_cast<std::uintptr_t>(large.get()) % rules::kHugePage == 0);
  // A kernel that was built without them refuses.
  const bool offered = std::filesystem::exists("/sys/kernel/mm/transparent_hugepage");
  const char* const begin = static_cast<const char*>(large.get());
  CHECK(on_huge_pages(begin) == offered);
  CHECK(on_huge_pages(begin + rules::kLargeBlock - 1) == offered);
  CHECK_FALSE(on_huge_pages(begin + rules::kLargeBlock));
}
