// The classifier against the linear scan, scalar and in wide registers, and against DPDK's librte_acl where that is
// installed: nanoseconds per lookup, one by one and in batches, on generated rules and on ClassBench's where they are at
// hand; on rule sets that are hard for it; and what a change costs. Medians of runs that take turns. Every answer is
// compared with the scan's, or the trace's, first. Each row ends with what it has to reach and whether it does.
//   classifier_bench [--json FILE] [--quick]
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "rules/classifier/classifier.h"
#include "rules/rule_set.h"
#include "tests/bench/dpdk_acl.h"
#include "tests/bench/gates.h"
#include "tests/bench/hard_sets.h"
#include "tests/bench/simd_scan.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/five_tuple.h"

namespace {

using bench::Timing;

constexpr std::uint64_t kSeed = 20240901;
constexpr std::size_t kHeaders = 50000;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kScannedRules =
    20'000'000;  // at most that many a run, so that 100,000 rules end in time
constexpr std::size_t kChanges = 2000;

struct Options {
  std::string json;
  bool quick = false;
  std::size_t runs() const { return quick ? 5 : 9; }
};

struct Column {
  std::string name;
  Timing timing;
};

// What a row is held against.
enum class Against { Others, IPv4, SimdScan };

struct Row {
  std::string set;
  std::size_t rules = 0;
  Against against = Against::Others;
  std::vector<Column> columns;
  double build_milliseconds = 0;
  double bytes_a_rule = 0;

  double time(std::string_view name) const {
    for (const Column& column : columns) {
      if (column.name == name) return column.timing.median;
    }
    return 0;
  }
  // How many times longer the other side takes; 0 where it isn't there.
  double ratio(std::string_view other, std::string_view ours) const {
    return time(other) / time(ours);
  }
};

constexpr std::size_t kLarge = 9000;     // what is called 10,000 rules
constexpr std::size_t kLargest = 87000;  // what is called 100,000
constexpr double kMegabyte = 1 << 20;

std::vector<bench::Gate> gates_of(const Row& row) {
  using enum bench::Gate::Kind;
  if (row.against == Against::IPv4) {
    return {{"v4/1", row.ratio("single", "single IPv4"), AtMost, 1.5},
            {"v4/b", row.ratio("batch", "batch IPv4"), AtMost, 1.5}};
  }
  if (row.against == Against::SimdScan) {
    return {{"simd/1", row.ratio("single", "simd scan"), AtMost, 2},
            {"simd/b", row.ratio("batch", "simd scan"), AtMost, 2}};
  }
  const auto rules = static_cast<double>(row.rules);
  std::vector<bench::Gate> gates{
      {"B/rule", row.bytes_a_rule, AtMost, 96 + std::round(kMegabyte / rules)}};
  if (row.rules < kLarge) return gates;
  gates.push_back(
      {"scan/1", row.ratio("scan", "single"), AtLeast, row.rules < kLargest ? 30.0 : 200.0});
  if (row.time("acl avx2") != 0)
    gates.push_back({"avx2/b", row.ratio("acl avx2", "batch"), AtLeast, 1});
  for (const char* const change : {"insert", "remove"})
    gates.push_back({change, row.time(change), AtMost, 2000});
  if (row.rules >= kLargest) gates.push_back({"build", row.build_milliseconds, AtMost, 300});
  return gates;
}

class Contest {
 public:
  explicit Contest(const bench::HardSet& set, bool with_acl)
      : set_{set}, rules_{rules::compile(set.policy)}, scan_{set.tuples.rules} {
    for (std::size_t i = 0; i < set.packets.size(); ++i) {
      queries_.push_back({&set.packets[i], rules::Direction::In,
                          rules_.interface_id(set.interfaces.empty() ? "" : set.interfaces[i])});
    }
    decisions_.resize(queries_.size());
    scanned_ =
        std::clamp<std::size_t>(kScannedRules / set.tuples.rules.size(), 500, queries_.size());
    if (with_acl) acl_ = bench::DpdkAcl::make(set.tuples);
  }

  // How many answers differ from the scan, or from what the trace says.
  std::size_t count_wrong() {
    classify_batches();
    std::size_t wrong = 0;
    if (acl_) acl_->classify(0, queries_.size());
    for (std::size_t at = 0; at < queries_.size(); ++at) {
      const auto& header = set_.tuples.headers[at];
      const auto expected = header.expected ? header.expected : scan_.first_match(header);
      const auto is_expected = [&](const rules::Decision& decision) {
        return (decision.by == rules::DecidedBy::Rule) == expected.has_value() &&
               (!expected || decision.index == *expected);
      };
      if (!is_expected(classify(at)) || !is_expected(decisions_[at])) ++wrong;
      if (acl_ && acl_->match(at) != expected.value_or(set_.tuples.rules.size())) ++wrong;
    }
    return wrong;
  }

  // `plain`: the same rules in IPv4, to take turns with.
  Row measure(std::size_t runs, Contest* plain) {
    std::vector<bench::Side> sides = own_sides("");
    if (plain != nullptr) {
      for (auto& side : plain->own_sides(" IPv4")) sides.push_back(std::move(side));
    }
    std::vector<bench::Side> scans{
        {"scan", scanned_, [this] { scan_some(); }},
        {"simd scan", scanned_, [this] { scan_some_simd(); }},
    };
    for (auto& side : scans) sides.push_back(std::move(side));
    for (const char* const algorithm : {"avx2", "avx512"}) {
      if (!acl_ || !acl_->choose(algorithm)) continue;
      sides.push_back({fmt::format("acl {}", algorithm), queries_.size(), [this, algorithm] {
                         acl_->choose(algorithm);
                         bench::keep(acl_->classify(0, queries_.size()));
                       }});
    }
    Row row;
    row.set = set_.name;
    row.rules = set_.tuples.rules.size();
    const auto timings = bench::take_turns(sides, runs);
    for (std::size_t i = 0; i < sides.size(); ++i)
      row.columns.push_back({sides[i].name, timings[i]});
    if (acl_) row.columns.push_back({"acl build", {1e9 * acl_->build_seconds(), 0}});
    const bench::Side build{"build", 1, [this] { rules::compile(set_.policy); }};
    row.build_milliseconds = 1e-6 * bench::take_turns({build}, 5)[0].median;
    row.bytes_a_rule = static_cast<double>(rules_.memory_bytes()) / static_cast<double>(row.rules);
    return row;
  }

 private:
  std::vector<bench::Side> own_sides(const std::string& suffix) {
    return {{"single" + suffix, queries_.size(), [this] { classify_all(); }},
            {"batch" + suffix, queries_.size(), [this] { classify_batches(); }}};
  }

  rules::Decision classify(std::size_t at) const {
    const auto& query = queries_[at];
    return rules_.classify(*query.packet, query.direction, query.interface);
  }

  void classify_all() const {
    for (std::size_t at = 0; at < queries_.size(); ++at) bench::keep(classify(at).index);
  }

  void classify_batches() {
    const std::span<const rules::Query> queries{queries_};
    for (std::size_t at = 0; at < queries.size(); at += kBatch) {
      const auto some = queries.subspan(at, std::min(kBatch, queries.size() - at));
      rules_.classify_batch(some, std::span{decisions_}.subspan(at, some.size()));
    }
  }

  void scan_some() const {
    for (std::size_t at = 0; at < scanned_; ++at)
      bench::keep(tests::first_match(set_.tuples.rules, set_.tuples.headers[at]).value_or(0));
  }

  void scan_some_simd() const {
    for (std::size_t at = 0; at < scanned_; ++at)
      bench::keep(scan_.first_match(set_.tuples.headers[at]).value_or(0));
  }

  const bench::HardSet& set_;
  rules::RuleSet rules_;
  bench::SimdScan scan_;
  std::unique_ptr<bench::DpdkAcl> acl_;
  std::vector<rules::Query> queries_;
  std::vector<rules::Decision> decisions_;
  std::size_t scanned_ = 0;
};

// A rule taken out at random and put back where it was, each published to a reader that moves on at once.
void measure_changes(const rules::Policy& policy, Row& row) {
  std::vector<rules::classifier::Pattern> patterns;
  for (const auto& rule : policy.rules) patterns.push_back({&rule.match, {}});
  rules::classifier::Classifier classifier{patterns};
  auto reader = classifier.publish();
  std::mt19937_64 random{kSeed};
  std::vector<rules::classifier::Slot> slots(patterns.size());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = static_cast<rules::classifier::Slot>(i);
  std::vector<double> inserts;
  std::vector<double> removes;
  for (std::size_t change = 0; change < kChanges; ++change) {
    const std::size_t rule = random() % patterns.size();
    const auto label = classifier.label(slots[rule]);
    const double start = bench::wall_seconds();
    classifier.remove(slots[rule], patterns[rule]);
    reader = classifier.publish();
    const double middle = bench::wall_seconds();
    slots[rule] = classifier.insert(patterns[rule], label);
    reader = classifier.publish();
    const double end = bench::wall_seconds();
    removes.push_back(1e9 * (middle - start));
    inserts.push_back(1e9 * (end - middle));
  }
  row.columns.push_back({"insert", bench::timing_of(std::move(inserts))});
  row.columns.push_back({"remove", bench::timing_of(std::move(removes))});
}

std::vector<tests::FiveTupleSet> plain_sets(const Options& options) {
  std::vector<tests::FiveTupleSet> all;
  for (const std::size_t rules : {10, 1000, 10000, 100000}) {
    if (options.quick && rules > 10000) break;
    all.push_back(tests::generate_five_tuples(kSeed, rules, kHeaders));
  }
  for (const auto* const size : {"1k", "10k", "100k"}) {
    if (options.quick && std::strcmp(size, "1k") != 0) break;
    for (const auto* const name : {"acl1", "fw1", "ipc1"}) {
      if (auto set = tests::read_classbench(name, size)) all.push_back(std::move(*set));
    }
  }
  return all;
}

std::string cell(const Row& row, std::string_view name) {
  for (const Column& column : row.columns) {
    if (column.name == name)
      return fmt::format("{:.1f} ±{:.0f}%", column.timing.median, 50 * column.timing.spread);
  }
  return "-";
}

constexpr const char* kCells[] = {"single",   "batch",      "scan",   "simd scan",
                                  "acl avx2", "acl avx512", "insert", "remove"};

void print_head() {
  fmt::print("{:<18} {:>6}", "ns, median", "rules");
  for (const char* const name : kCells) fmt::print(" {:>13}", name);
  fmt::print(" {:>9} {:>6} | {:>9} {:>9} {:>9} {:>9} | gates\n", "build ms", "B/rule", "scan/1",
             "simd/1", "avx2/b", "avx512/b");
}

void print(const Row& row) {
  fmt::print("{:<18} {:>6}", row.set, row.rules);
  for (const char* const name : kCells) fmt::print(" {:>13}", cell(row, name));
  fmt::print(" {:>9.2f} {:>6.0f} | {:>9.1f} {:>9.2f} {:>9.2f} {:>9.2f}", row.build_milliseconds,
             row.bytes_a_rule, row.ratio("scan", "single"), row.ratio("simd scan", "single"),
             row.ratio("acl avx2", "batch"), row.ratio("acl avx512", "batch"));
  fmt::print(" | {}\n", bench::to_text(gates_of(row)));
  std::fflush(stdout);
}

bool write_json(const std::string& path, const std::vector<Row>& rows) {
  std::vector<std::string> texts;
  for (const Row& row : rows) {
    std::string text =
        fmt::format(R"(  {{"set": "{}", "rules": {}, "build_ms": {:.2f}, "bytes_a_rule": {:.1f})",
                    row.set, row.rules, row.build_milliseconds, row.bytes_a_rule);
    for (const Column& column : row.columns) {
      text += fmt::format(R"(, "{} ns": {:.1f}, "{} spread": {:.3f})", column.name,
                          column.timing.median, column.name, column.timing.spread);
    }
    texts.push_back(text + fmt::format(R"(, "gates": {}}})", bench::to_json(gates_of(row))));
  }
  std::ofstream file{path};
  file << fmt::format("{{\"classifier\": [\n{}\n]}}\n", fmt::join(texts, ",\n"));
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

class Table {
 public:
  explicit Table(const Options& options) : options_{options} { print_head(); }

  // Measured against rte_acl; and, with `variants`, the same in IPv6 and on interfaces against this.
  bool add_plain(const tests::FiveTupleSet& tuples, bool variants) {
    const bench::HardSet set = bench::plain(tuples);
    Contest contest{set, true};
    if (!add(set, contest, Against::Others, nullptr)) return false;
    if (!variants) return true;
    for (const auto& variant : {bench::in_ipv6(tuples), bench::on_interfaces(tuples)}) {
      Contest other{variant, false};
      if (!add(variant, other, Against::IPv4, &contest)) return false;
    }
    return true;
  }

  bool add_hard(const bench::HardSet& set) {
    Contest contest{set, false};
    return add(set, contest, Against::SimdScan, nullptr);
  }

  std::size_t missed() const {
    std::size_t count = 0;
    for (const Row& row : rows_) {
      const auto gates = gates_of(row);
      count += static_cast<std::size_t>(
          std::ranges::count_if(gates, [](const bench::Gate& gate) { return !gate.holds(); }));
    }
    return count;
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  bool add(const bench::HardSet& set, Contest& contest, Against against, Contest* plain) {
    if (const std::size_t wrong = contest.count_wrong(); wrong != 0) {
      fmt::print(stderr, "{} with {} rules: {} answers differ from the linear scan\n", set.name,
                 set.tuples.rules.size(), wrong);
      return false;
    }
    Row row = contest.measure(options_.runs(), plain);
    row.against = against;
    if (set.interfaces.empty()) measure_changes(set.policy, row);
    print(row);
    rows_.push_back(std::move(row));
    return true;
  }

  const Options& options_;
  std::vector<Row> rows_;
};

bool run(const Options& options, Table& table) {
  for (const auto& set : plain_sets(options)) {
    if (!table.add_plain(set, set.rules.size() >= kLarge && set.rules.size() < kLargest))
      return false;
  }
  for (const std::size_t rules : {300, 3000}) {
    for (const auto& set : bench::adversarial(kSeed, rules, options.quick ? 5000 : kHeaders)) {
      if (!table.add_hard(set)) return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: classifier_bench [--json FILE] [--quick]\n");
    return 2;
  }
  Table table{*options};
  if (!run(*options, table)) return 1;
  fmt::print("gates missed: {}\n", table.missed());
  if (!options->json.empty() && !write_json(options->json, table.rows())) {
    fmt::print(stderr, "{}: can't be written\n", options->json);
    return 1;
  }
  return 0;
}
