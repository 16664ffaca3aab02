#include "fwd/metrics/exposition.h"

#include <array>

#include <catch2/catch.hpp>

using fwd::metrics::Exposition;

TEST_CASE("a family is its help, its type and its samples") {
  Exposition page;
  page.counter("fwd_packets_total", "Packets.")
      .add({{"hook", "input"}, {"action", "drop"}}, std::uint64_t{12})
      .add({{"hook", "output"}, {"action", "drop"}}, std::uint64_t{0});
  page.gauge("fwd_ratio", "A share.").add(0.25);
  CHECK(page.take() ==
        "# HELP fwd_packets_total Packets.\n"
        "# TYPE fwd_packets_total counter\n"
        "fwd_packets_total{hook=\"input\",action=\"drop\"} 12\n"
        "fwd_packets_total{hook=\"output\",action=\"drop\"} 0\n"
        "# HELP fwd_ratio A share.\n"
        "# TYPE fwd_ratio gauge\n"
        "fwd_ratio 0.25\n");
}

TEST_CASE("quotes, backslashes and line breaks in a label's value are escaped") {
  Exposition page;
  page.gauge("fwd_x", "X.").add({{"name", "a\"b\\c\nd\xc3\xa9{}"}}, std::uint64_t{1});
  CHECK(page.take() ==
        "# HELP fwd_x X.\n"
        "# TYPE fwd_x gauge\n"
        "fwd_x{name=\"a\\\"b\\\\c\\nd\xc3\xa9{}\"} 1\n");
}

TEST_CASE("a large count keeps all its digits") {
  Exposition page;
  page.counter("fwd_x_total", "X.").add(std::uint64_t{18446744073709551615U});
  CHECK(page.take().ends_with("fwd_x_total 18446744073709551615\n"));
}

TEST_CASE("a histogram's buckets add up, and its bounds are in seconds") {
  Exposition page;
  const std::array<std::uint64_t, 3> bounds{1'000, 20'000, 100'000'000};
  const std::array<std::uint64_t, 4> counts{5, 0, 2, 1};
  page.histogram_of_seconds("fwd_t_seconds", "T.", bounds, counts, 1'500'000'000);
  CHECK(page.take() ==
        "# HELP fwd_t_seconds T.\n"
        "# TYPE fwd_t_seconds histogram\n"
        "fwd_t_seconds_bucket{le=\"1e-06\"} 5\n"
        "fwd_t_seconds_bucket{le=\"2e-05\"} 5\n"
        "fwd_t_seconds_bucket{le=\"0.1\"} 7\n"
        "fwd_t_seconds_bucket{le=\"+Inf\"} 8\n"
        "fwd_t_seconds_sum 1.5\n"
        "fwd_t_seconds_count 8\n");
}
