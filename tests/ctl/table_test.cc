#include "ctl/table.h"

#include <catch2/catch.hpp>

using namespace ctl;

TEST_CASE("columns are as wide as their widest text and no line ends in blanks") {
  Table table({{"Name"}, {"Hits", Align::Right}, {"Comment"}});
  table.add({{"a"}, {"12345"}, {}});
  table.add({{"longer"}, {"7"}, {"web"}});
  CHECK(table.text({}) ==
        "Name     Hits  Comment\n"
        "a       12345\n"
        "longer      7  web\n");
}

TEST_CASE("a column without text is left out, and headings where there are none") {
  Table table({{""}, {"Gone"}, {""}});
  table.add({{"a"}, {}, {"b"}});
  CHECK(table.text({}) == "a  b\n");
}

TEST_CASE("width counts characters, not bytes and not colours") {
  Table table({{"N"}, {"X"}});
  table.add({{"\xc3\xa4\xc3\xb6", Style::Good}, {"1"}});
  table.add({{"abc", Style::Bad}, {"2"}});
  CHECK(table.text({}) == "N    X\n\xc3\xa4\xc3\xb6   1\nabc  2\n");
  CHECK(table.text({true}) ==
        "\033[1mN\033[0m    \033[1mX\033[0m\n"
        "\033[32m\xc3\xa4\xc3\xb6\033[0m   1\n"
        "\033[31mabc\033[0m  2\n");
}

TEST_CASE("text from elsewhere can't drive the terminal or break a line") {
  Table table({{"N"}, {"X"}});
  table.add({{"a\033[2Jb\nc\td"}, {"1"}});
  CHECK(table.text({}) == "N                 X\na\\x1b[2Jb\\x0ac d  1\n");
}
