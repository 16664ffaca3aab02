#include "fwd/metrics/textfile.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/fwd/scratch.h"

using fwd::metrics::Textfile;
using fwd::test::Scratch;

TEST_CASE("the file is there for everybody to read, whole and alone") {
  const Scratch scratch;
  const mode_t before = umask(0077);
  {
    Textfile file(scratch.path("fwd.prom"), [] { return "fwd_x 1\n"; });
    file.write();
    file.write();
    CHECK(scratch.read("fwd.prom") == "fwd_x 1\n");
    CHECK(scratch.count() == 1);
    struct stat status {};
    REQUIRE(stat(scratch.path("fwd.prom").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0644);
    CHECK(file.trouble().empty());
  }
  umask(before);
}

TEST_CASE("a folder that isn't there is trouble until it is") {
  const Scratch scratch;
  Textfile file(scratch.path("later/fwd.prom"), [] { return "fwd_x 1\n"; });
  file.write();
  CHECK(file.trouble() ==
        "make a new file beside " + scratch.path("later/fwd.prom") + ": No such file or directory");
  std::filesystem::create_directory(scratch.path("later"));
  file.write();
  CHECK(file.trouble().empty());
  CHECK(scratch.read("later/fwd.prom") == "fwd_x 1\n");
}
