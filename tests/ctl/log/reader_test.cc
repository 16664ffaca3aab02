#include "ctl/log/reader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

using namespace ctl::log;

TEST_CASE("what has no line ends is read in parts") {
  char folder[] = "/tmp/fwd-reader-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/audit.json";
  constexpr std::size_t kSize = std::size_t{5} << 20U;
  std::ofstream(path, std::ios::binary) << std::string(kSize, 'x') << "\nlast\n";
  auto reader = Reader::open(path);
  REQUIRE(reader);
  std::size_t total = 0;
  std::string last;
  while (true) {
    const auto line = reader->next();
    REQUIRE(line);
    if (line->empty()) break;
    CHECK(line->size() <= kSize / 2);
    total += line->size();
    last = *line;
  }
  CHECK(total == kSize + 6);
  CHECK(last == "last\n");
  std::filesystem::remove_all(folder);
}
