// The classifier against a linear scan over plain structs, on generated rules and on ClassBench's
// where they are at hand: nanoseconds per lookup, medians of runs that take turns. Every lookup is
// compared with the scan first.
//   classifier_bench [--json FILE] [--quick]
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>

#include <fmt/format.h>

#include "rules/rule_set.h"
#include "tests/support/five_tuple.h"

namespace {

constexpr std::uint64_t kSeed = 20240901;
constexpr std::size_t kHeaders = 50000;
constexpr std::size_t kScannedRules =
    20'000'000;  // at most that many a run, so that 100,000 rules end in time

struct Options {
  std::string json;
  bool quick = false;
  std::size_t runs() const { return quick ? 5 : 9; }
};

struct Result {
  std::string set;
  std::size_t rules = 0;
  double classifier = 0;  // nanoseconds per lookup
  double linear = 0;
  double build_milliseconds = 0;
  std::size_t memory_bytes = 0;

  double ratio() const { return linear / classifier; }
};

// Of this thread's own CPU time: somebody else's turn on the processor doesn't count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds(const std::function<void()>& work) {
  const double start = cpu_seconds();
  work();
  return cpu_seconds() - start;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Keeps the compiler from leaving out work whose result nobody reads.
void keep(std::size_t value) {
  asm volatile("" : : "r"(value));
}

class Contest {
 public:
  explicit Contest(const tests::FiveTupleSet& set)
      : set_{set}, policy_{tests::to_policy(set.rules)}, rules_{rules::compile(policy_)} {
    for (const auto& header : set.headers) packets_.push_back(tests::to_packet(header));
    scanned_ = std::clamp<std::size_t>(kScannedRules / set.rules.size(), 500, packets_.size());
  }

  // How many lookups differ from the scan, or from what the trace says.
  std::size_t count_wrong() const {
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < packets_.size(); ++at) {
      auto expected = set_.headers[at].expected;
      if (!expected) expected = tests::first_match(set_.rules, set_.headers[at]);
      const auto decision = classify(packets_[at]);
      const bool matched = decision.by == rules::DecidedBy::Rule;
      if (matched != expected.has_value() || (matched && decision.index != *expected)) ++wrong;
    }
    return wrong;
  }

  Result measure(std::size_t runs) const {
    std::vector<double> classifier(runs);
    std::vector<double> linear(runs);
    std::vector<double> build(runs);
    for (std::size_t run = 0; run < runs; ++run) {
      classifier[run] = seconds([&] { classify_all(); }) / static_cast<double>(packets_.size());
      linear[run] = seconds([&] { scan_some(); }) / static_cast<double>(scanned_);
      build[run] = seconds([&] { rules::compile(policy_); });
    }
    Result result{set_.name, set_.rules.size()};
    result.classifier = 1e9 * median(classifier);
    result.linear = 1e9 * median(linear);
    result.build_milliseconds = 1e3 * median(build);
    result.memory_bytes = rules_.memory_bytes();
    return result;
  }

 private:
  rules::Decision classify(const rules::Packet& packet) const {
    return rules_.classify(packet, rules::Direction::In, rules::kOtherInterface);
  }

  void classify_all() const {
    for (const auto& packet : packets_) keep(classify(packet).index);
  }

  void scan_some() const {
    for (std::size_t at = 0; at < scanned_; ++at) {
      keep(tests::first_match(set_.rules, set_.headers[at]).value_or(0));
    }
  }

  const tests::FiveTupleSet& set_;
  rules::Policy policy_;
  rules::RuleSet rules_;
  std::vector<rules::Packet> packets_;
  std::size_t scanned_ = 0;
};

std::vector<tests::FiveTupleSet> sets(const Options& options) {
  std::vector<tests::FiveTupleSet> all;
  for (const std::size_t rules : {10, 1000, 10000})
    all.push_back(tests::generate_five_tuples(kSeed, rules, kHeaders));
  for (const auto* const size : {"1k", "10k", "100k"}) {
    if (options.quick && std::strcmp(size, "1k") != 0) break;
    for (const auto* const name : {"acl1", "fw1", "ipc1"}) {
      if (auto set = tests::read_classbench(name, size)) all.push_back(std::move(*set));
    }
  }
  return all;
}

bool write_json(const std::string& path, const std::vector<Result>& results) {
  std::vector<std::string> rows;
  rows.reserve(results.size());
  for (const auto& result : results) {
    rows.push_back(fmt::format(
        R"(  {{"set": "{}", "rules": {}, "classifier_ns": {:.1f}, "linear_ns": {:.1f}, "ratio": {:.2f}, )"
        R"("build_ms": {:.2f}, "memory_bytes": {}}})",
        result.set, result.rules, result.classifier, result.linear, result.ratio(),
        result.build_milliseconds, result.memory_bytes));
  }
  std::ofstream file{path};
  file << fmt::format("{{\"classifier\": [\n{}\n]}}\n", fmt::join(rows, ",\n"));
  return static_cast<bool>(file.flush());
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string_view argument = argv[at];
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument == "--json" && at + 1 < argc) {
      options.json = argv[++at];
    } else {
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: classifier_bench [--json FILE] [--quick]\n");
    return 2;
  }
  std::vector<Result> results;
  fmt::print("{:<10} {:>7} {:>14} {:>11} {:>7} {:>9} {:>10}\n", "set", "rules", "classifier ns",
             "linear ns", "ratio", "build ms", "memory kB");
  for (const auto& set : sets(*options)) {
    const Contest contest{set};
    if (const std::size_t wrong = contest.count_wrong(); wrong != 0) {
      fmt::print(stderr, "{} with {} rules: {} lookups differ from the linear scan\n", set.name,
                 set.rules.size(), wrong);
      return 1;
    }
    const Result result = contest.measure(options->runs());
    fmt::print("{:<10} {:>7} {:>14.1f} {:>11.1f} {:>7.1f} {:>9.2f} {:>10}\n", result.set,
               result.rules, result.classifier, result.linear, result.ratio(),
               result.build_milliseconds, result.memory_bytes / 1024);
    std::fflush(stdout);
    results.push_back(result);
  }
  if (!options->json.empty() && !write_json(options->json, results)) {
    fmt::print(stderr, "{}: can't be written\n", options->json);
    return 1;
  }
  return 0;
}
