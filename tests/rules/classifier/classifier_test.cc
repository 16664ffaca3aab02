#include "rules/classifier/classifier.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/support/five_tuple.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/random.h"
#include "tests/support/random_policy.h"

using namespace rules;
using classifier::between;
using classifier::Classifier;
using classifier::Found;
using classifier::kNoLabel;
using classifier::Label;
using classifier::Pattern;
using classifier::Point;
using classifier::point_of;
using classifier::Slot;
using classifier::V4;
using classifier::V6;
using classifier::Version;

namespace {

const std::vector<std::string> kInterfaces{"", "eth0", "eth1", "lo"};

InterfaceId interface_id(std::string_view name) {
  const auto found = std::ranges::find(kInterfaces, name);
  return found == kInterfaces.end() ? kOtherInterface
                                    : static_cast<InterfaceId>(found - kInterfaces.begin());
}

Pattern pattern_of(const Rule& rule) {
  if (!rule.match.interface) return {&rule.match, {}};
  return {&rule.match, interface_id(*rule.match.interface)};
}

// Rules in order with their slots, as somebody keeps them who changes a classifier.
class Model {
 public:
  explicit Model(std::vector<Rule> rules) {
    std::vector<Pattern> patterns;
    patterns.reserve(rules.size());
    for (const Rule& rule : rules) patterns.push_back(pattern_of(rule));
    classifier_ = std::make_unique<Classifier>(patterns);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto slot = static_cast<Slot>(i);
      by_label_[classifier_->label(slot)] = {std::make_shared<const Rule>(std::move(rules[i])),
                                             slot};
    }
  }

  void insert(Rule rule, std::size_t place) {
    auto label = label_at(place);
    if (!label) {
      renumber();
      label = label_at(place);
    }
    REQUIRE(label);
    last_ = label;
    auto shared = std::make_shared<const Rule>(std::move(rule));
    const Slot slot = classifier_->insert(pattern_of(*shared), *label);
    REQUIRE(classifier_->label(slot) == *label);
    by_label_[*label] = {std::move(shared), slot};
  }

  void remove(std::size_t place) {
    const auto at = std::next(by_label_.begin(), static_cast<std::ptrdiff_t>(place));
    classifier_->remove(at->second.slot, pattern_of(*at->second.rule));
    by_label_.erase(at);
  }

  std::shared_ptr<const Version> publish() { return classifier_->publish(); }
  std::size_t size() const { return by_label_.size(); }

  std::vector<std::shared_ptr<const Rule>> rules() const {
    std::vector<std::shared_ptr<const Rule>> rules;
    for (const auto& [label, item] : by_label_) rules.push_back(item.rule);
    return rules;
  }
  const Rule* rule_of(const Found& found) const {
    if (!found) return nullptr;
    const auto at = by_label_.find(found.label);
    REQUIRE(at != by_label_.end());
    REQUIRE(at->second.slot == found.slot);
    return at->second.rule.get();
  }

 private:
  struct Item {
    std::shared_ptr<const Rule> rule;
    Slot slot = 0;
  };

  std::optional<Label> label_at(std::size_t place) const {
    const auto after = std::next(by_label_.begin(), static_cast<std::ptrdiff_t>(place));
    const Label low = after == by_label_.begin() ? 0 : std::prev(after)->first;
    const Label high = after == by_label_.end() ? kNoLabel : after->first;
    return between(low, high, last_);
  }

  void renumber() {
    classifier_->renumber();
    last_.reset();
    std::map<Label, Item> renumbered;
    for (auto& [label, item] : by_label_) renumbered[classifier_->label(item.slot)] = item;
    by_label_ = std::move(renumbered);
  }

  std::unique_ptr<Classifier> classifier_;
  std::map<Label, Item> by_label_;
  std::optional<Label> last_;
};

const Rule* first_match(const std::vector<std::shared_ptr<const Rule>>& rules,
                        const tests::Probe& probe) {
  for (const auto& rule : rules) {
    if (tests::matches(rule->match, probe.packet, rule->match.direction, probe.interface))
      return rule.get();
  }
  return nullptr;
}

std::vector<tests::Probe> probes_for(tests::RandomPolicies& generator, const Policy& policy,
                                     std::size_t count) {
  std::vector<tests::Probe> probes;
  while (probes.size() < count) probes.push_back(generator.probe(policy));
  for (auto& probe : probes) {
    if (interface_id(probe.interface) == kOtherInterface) probe.interface = "tun9";
  }
  return probes;
}

// What each method of this processor finds, one by one and in a batch.
template <typename F>
void check_methods(const Model& model, const Version& version, const std::vector<Point<F>>& points,
                   const std::vector<const Rule*>& expected) {
  auto view = version.view<F>();
  for (const auto& method : classifier::methods()) {
    INFO("method " << method.name);
    view.method = method;
    std::vector<classifier::Best> found(points.size());
    classifier::search_batch(view, points.data(), points.size(), found.data());
    for (std::size_t i = 0; i < points.size(); ++i) {
      INFO("point " << i);
      REQUIRE(model.rule_of(found[i].found()) == expected[i]);
      REQUIRE(model.rule_of(classifier::search(view, points[i]).found()) == expected[i]);
    }
  }
}

void check(const Model& model, const Version& version, const std::vector<tests::Probe>& probes) {
  const auto rules = model.rules();
  std::vector<classifier::Query> queries;
  for (const auto& probe : probes)
    queries.push_back({&probe.packet, interface_id(probe.interface)});
  std::vector<Found> found(probes.size());
  version.first_matches(queries, found);
  std::vector<Point<V4>> v4;
  std::vector<Point<V6>> v6;
  std::vector<const Rule*> expected_v4;
  std::vector<const Rule*> expected_v6;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    INFO(describe(probes[i]));
    const Rule* const expected = first_match(rules, probes[i]);
    const Packet& packet = probes[i].packet;
    REQUIRE(model.rule_of(version.first_match(packet, queries[i].interface)) == expected);
    REQUIRE(model.rule_of(found[i]) == expected);
    if (packet.family() == Family::V4) {
      v4.push_back(point_of<V4>(packet, queries[i].interface));
      expected_v4.push_back(expected);
    } else {
      v6.push_back(point_of<V6>(packet, queries[i].interface));
      expected_v6.push_back(expected);
    }
  }
  check_methods(model, version, v4, expected_v4);
  check_methods(model, version, v6, expected_v6);
}

}  // namespace

TEST_CASE(
    "after any sequence of insertions and removals the classifier answers as one built afresh") {
  // With the first of these, two pieces of one rule that are the same once stood in different tables.
  const auto seed = GENERATE(std::uint64_t{1797435744}, tests::test_seed());
  INFO("FWD_TEST_SEED=" << seed);
  tests::RandomPolicies generator{seed};
  tests::Random random{seed};
  for (const std::size_t size : {0, 1, 20, 300}) {
    Policy policy = generator.policy(size);
    Model model{{policy.rules.begin(), policy.rules.end()}};
    std::vector<std::shared_ptr<const Version>> kept;
    for (int round = 0; round < 40; ++round) {
      for (std::uint64_t change = 1 + random.below(12); change > 0; --change) {
        if (model.size() > 0 && random.one_in(2)) {
          model.remove(random.below(model.size()));
        } else {
          policy.rules.push_back(generator.policy(1).rules.front());
          model.insert(policy.rules.back(), random.below(model.size() + 1));
        }
      }
      const auto version = model.publish();
      // A reader that is behind keeps memory from being used again.
      if (random.one_in(3)) kept.push_back(version);
      if (random.one_in(6)) kept.clear();
      check(model, *version, probes_for(generator, policy, 60));
    }
  }
}

TEST_CASE("a version goes on answering as it did, whatever is changed after it") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  tests::RandomPolicies generator{seed};
  tests::Random random{seed};
  const Policy policy = generator.policy(200);
  Model model{{policy.rules.begin(), policy.rules.end()}};
  const auto version = model.publish();
  const auto probes = probes_for(generator, policy, 300);
  std::vector<Found> before;
  for (const auto& probe : probes)
    before.push_back(version->first_match(probe.packet, interface_id(probe.interface)));
  std::shared_ptr<const Version> latest;
  for (int change = 0; change < 1000; ++change) {
    if (model.size() > 0 && random.one_in(2)) {
      model.remove(random.below(model.size()));
    } else {
      model.insert(generator.policy(1).rules.front(), random.below(model.size() + 1));
    }
    latest = model.publish();
  }
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const Found now = version->first_match(probes[i].packet, interface_id(probes[i].interface));
    REQUIRE(now.label == before[i].label);
    REQUIRE((!now || now.slot == before[i].slot));
  }
}

TEST_CASE("rules that no table divides go on a list, and are found there") {
  tests::Random random{tests::test_seed()};
  std::vector<Rule> rules;
  for (int i = 0; i < 700; ++i) {
    Rule rule;
    const auto first = static_cast<std::uint16_t>(random.below(60000));
    rule.match.destination_ports = {{first, static_cast<std::uint16_t>(first + random.below(500))}};
    rule.match.protocols = {{random.one_in(2) ? protocol::kTcp : protocol::kUdp, {}, {}}};
    rules.push_back(std::move(rule));
  }
  Policy policy;
  policy.rules = rules;
  Model model{rules};
  tests::RandomPolicies generator{tests::test_seed()};
  check(model, *model.publish(), probes_for(generator, policy, 500));
  for (int i = 0; i < 300; ++i) model.remove(random.below(model.size()));
  for (int i = 0; i < 900; ++i) model.insert(random.pick(rules), random.below(model.size() + 1));
  check(model, *model.publish(), probes_for(generator, policy, 500));
}

TEST_CASE("every way of comparing a block agrees") {
  tests::Random random{tests::test_seed()};
  for (int round = 0; round < 2000; ++round) {
    classifier::BlockKeys keys;
    const auto fill = [&](auto& items) {
      for (auto& item : items) {
        using Item = std::remove_reference_t<decltype(item)>;
        item = static_cast<Item>(random.one_in(3) ? ~0ULL : random.below(4));
      }
    };
    fill(keys.source);
    fill(keys.source_span);
    fill(keys.destination);
    fill(keys.destination_span);
    fill(keys.source_port);
    fill(keys.source_port_span);
    fill(keys.destination_port);
    fill(keys.destination_port_span);
    fill(keys.tag);
    fill(keys.tag_mask);
    const classifier::BlockPoint point{
        static_cast<std::uint32_t>(random.below(4)), static_cast<std::uint32_t>(random.below(4)),
        static_cast<std::uint16_t>(random.below(4)), static_cast<std::uint16_t>(random.below(4)),
        static_cast<std::uint16_t>(random.below(4))};
    for (const auto& method : classifier::methods())
      REQUIRE(method.scan(keys, point) == classifier::scan_block_portably(keys, point));
  }
}

TEST_CASE("a condition's word says what the condition asks for") {
  namespace kind = classifier::kind;
  namespace condition_word = classifier::condition_word;
  using classifier::KindTest;
  const auto near = kind::of_interface(InterfaceId{0xffff});
  const auto far = kind::of_interface(InterfaceId{0x10000});
  const KindTest tests[] = {{},
                            {kind::kProtocol, 6},
                            {kind::kProtocol | kind::kHasPorts, 6 | kind::kHasPorts},
                            {kind::kInterface, near},
                            {kind::kInterface | kind::kProtocol, near | 255}};
  for (const KindTest& test : tests) {
    const auto word = condition_word::of(test);
    REQUIRE(word);
    CHECK(condition_word::short_test(*word) == test);
    for (const std::uint64_t packet :
         {std::uint64_t{0}, std::uint64_t{6}, 6 | kind::kHasPorts, near, near | 255, far | 6,
          near | 255 | kind::kHasPorts, 6 | kind::kNoProtocol, 6 | kind::kHasIcmp}) {
      INFO(std::hex << "word " << *word << ", kind " << packet);
      CHECK(condition_word::may_hold(*word, packet) == test.holds(packet));
    }
  }
  CHECK_FALSE(condition_word::of({kind::kInterface, far}));
  CHECK_FALSE(condition_word::of({0xffULL << kind::kHopLimitShift, 0}));
  CHECK_FALSE(condition_word::of({kind::kProtocol | kind::kHasIcmp, 1 | kind::kHasIcmp}));
}

TEST_CASE("rules with thousands of entries in IPv4 and IPv6 are found by every method") {
  tests::Random random{tests::test_seed()};
  const auto set = tests::generate_five_tuples(random.below(1000), 3000, 2000);
  const Policy policy = tests::to_policy(set.rules);
  std::vector<Rule> rules(policy.rules.begin(), policy.rules.end());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (i % 7 == 0) rules[i].match.interface = kInterfaces[1 + i % 3];
  }
  const auto in_v6 = [](const Address& address) {
    return Address::v6(0x20010db800000000ULL | address.low, 0);
  };
  for (std::size_t i = 0; i < rules.size(); i += 2) {
    for (auto* const side : {&rules[i].match.source, &rules[i].match.destination}) {
      if (side->any()) continue;
      const auto& range = side->members->ranges().front();
      Address last = in_v6(range.last);
      last.low = ~0ULL;
      side->members =
          std::make_shared<const AddressSet>(std::vector<AddressRange>{{in_v6(range.first), last}});
    }
  }
  std::vector<tests::Probe> probes;
  for (const auto& header : set.headers) {
    probes.push_back({tests::to_packet(header), Direction::In, random.pick(kInterfaces)});
    if (random.one_in(2)) continue;
    Packet& packet = probes.back().packet;
    packet.source = in_v6(packet.source);
    packet.destination = in_v6(packet.destination);
  }
  Model model{rules};
  check(model, *model.publish(), probes);
}

// A packet matches two rules, of which at any moment one is there: new ones come before old ones go.
TEST_CASE("readers find one version or another while rules are exchanged, never neither") {
  const auto set = tests::generate_five_tuples(11, 400, 1);
  const Policy background = tests::to_policy(set.rules);
  Rule wanted;
  wanted.match.destination_ports = {{7, 7}};
  wanted.match.destination = {
      std::make_shared<const AddressSet>(std::vector<AddressRange>{*parse_range("203.0.113.9")}),
      ""};
  wanted.match.protocols = {{protocol::kSctp, {}, {}}};
  std::vector<Rule> rules;
  for (const Rule& rule : background.rules) {
    if (!rule.match.source.any()) rules.push_back(rule);
  }
  Model model{rules};
  model.insert(wanted, model.size() / 2);
  std::mutex mutex;
  std::shared_ptr<const Version> latest = model.publish();
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> lookups{0};
  std::atomic<std::size_t> missed{0};
  const auto read = [&] {
    Packet packet;
    packet.source = Address::v4(0xffff0001);
    packet.destination = *parse_address("203.0.113.9");
    packet.protocol = protocol::kSctp;
    packet.has_ports = true;
    packet.destination_port = 7;
    const std::vector<classifier::Query> queries(40, {&packet, kOtherInterface});
    const std::vector<Point<V4>> points(40, point_of<V4>(packet, kOtherInterface));
    std::vector<Found> found(queries.size());
    while (!stop) {
      std::shared_ptr<const Version> version;
      {
        const std::lock_guard lock{mutex};
        version = latest;
      }
      if (!version->first_match(packet, kOtherInterface)) ++missed;
      version->first_matches(queries, found);
      for (const Found& one : found) missed += one ? 0 : 1;
      // The thread sanitizer sees what the portable ones read; not what is gathered in wide registers.
      auto view = version->view<V4>();
      for (const auto& method : classifier::methods()) {
        view.method = method;
        std::array<classifier::Best, 40> best;
        classifier::search_batch(view, points.data(), points.size(), best.data());
        for (const auto& one : best) missed += one.found() ? 0 : 1;
        missed += classifier::search(view, points[0]).found() ? 0 : 1;
      }
      ++lookups;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(read);
  tests::Random random{3};
  for (int change = 0; change < 3000 || lookups < 100; ++change) {
    const std::size_t size = model.size();
    std::size_t old = 0;
    const auto now = model.rules();
    while (now[old]->match.protocols != wanted.match.protocols) ++old;
    const std::size_t place = random.below(size + 1);
    model.insert(wanted, place);
    if (random.one_in(2)) {  // in two versions, or at once
      auto between_both = model.publish();
      const std::lock_guard lock{mutex};
      latest = std::move(between_both);
    }
    model.remove(place <= old ? old + 1 : old);
    auto version = model.publish();
    const std::lock_guard lock{mutex};
    latest = std::move(version);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(missed == 0);
  CHECK(lookups >= 100);
}

TEST_CASE("labels are given out next to the last one, or halfway") {
  CHECK(between(100, 200) == 150);
  CHECK(between(1000, 2000, 1000) == 1064);
  CHECK(between(1000, 2000, 2000) == 1936);
  CHECK(between(1000, 1010, 1000) == 1005);
  CHECK_FALSE(between(7, 8));
}
