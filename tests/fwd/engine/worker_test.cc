#include "fwd/engine/worker.h"

#include <array>

#include <catch2/catch.hpp>
#include <net/if.h>

#include "tests/fwd/engine/fixtures.h"

using fwd::engine::Outcome;
using fwd::engine::Reason;
using fwd::engine::SnapshotBoard;
using fwd::engine::Worker;
using fwd::kernel::encode_verdict;
using fwd::kernel::PacketClass;
using fwd::kernel::Verdict;
using fwd::kernel::VerdictKind;
using rules::Action;
using rules::Direction;

namespace {

using namespace tests;

constexpr fwd::kernel::Generation kGeneration = 5;

ByteVector tcp(std::uint16_t port) {
  return bytes(IPv4{} / Tcp{.dport = port});
}

// A worker with its script, its board and its sink.
struct Bench {
  SnapshotBoard board;
  KeepingSink sink;
  ScriptedSource* source = nullptr;
  std::unique_ptr<Worker> worker;

  explicit Bench(rules::Policy policy, const std::vector<fwd::engine::InterfaceName>& names = {},
                 fwd::Mode mode = fwd::Mode::Enforce, rules::ServiceMap services = {}) {
    auto owned = std::make_unique<ScriptedSource>();
    source = owned.get();
    worker = std::make_unique<Worker>(0, std::move(owned), board, sink);
    board.post(snapshot(active(std::move(policy), 7, kGeneration, 1, mode, std::move(services)), 1,
                        names));
  }

  Verdict verdict(Queued packet) {
    source->play({std::move(packet)});
    REQUIRE(worker->step());
    REQUIRE_FALSE(source->verdicts().empty());
    return source->verdicts().back();
  }

  std::size_t records_for(Queued packet) {
    const auto before = sink.records.size();
    verdict(std::move(packet));
    return sink.records.size() - before;
  }
};

rules::Policy every_action() {
  return policy_of({tcp_rule(Action::Allow, 80), tcp_rule(Action::Deny, 81),
                    tcp_rule(Action::Reject, 82), tcp_rule(Action::Limit, 83),
                    tcp_rule(Action::Limit, 84)});
}

}  // namespace

TEST_CASE("a heavy source is the packet's own sender, also where it is judged turned round") {
  Bench bench(every_action());
  constexpr std::uint32_t kAbove = 10;
  auto owned = std::make_unique<ScriptedSource>();
  ScriptedSource& source = *owned;
  Worker worker(0, std::move(owned), bench.board, bench.sink, kAbove);
  const auto send = [&](PacketClass packet_class) {
    for (std::uint32_t i = 0; i < 2 * kAbove + 2; ++i) {
      source.play({Queued(1, packet_class, tcp(80))});
      REQUIRE(worker.step());
    }
    return worker.take_heavy_sources();
  };
  const auto sender = rules::decode(tcp(80))->source;
  for (const PacketClass packet_class : {PacketClass::New, PacketClass::AgainReply}) {
    const auto heavy = send(packet_class);
    REQUIRE_FALSE(heavy.empty());
    CHECK(heavy.front() == sender);
  }
}

TEST_CASE("a verdict says kind, generation and slot in the packet's priority and keeps the rest") {
  Bench bench(every_action());
  struct Line {
    PacketClass packet_class;
    std::uint16_t port;
    std::uint32_t verdict;
  };
  const Line lines[]{
      {PacketClass::New, 80, encode_verdict(VerdictKind::Approve, kGeneration)},
      {PacketClass::Untracked, 80, encode_verdict(VerdictKind::Pass, kGeneration)},
      {PacketClass::Again, 81, encode_verdict(VerdictKind::Revoke, kGeneration)},
      {PacketClass::New, 82, encode_verdict(VerdictKind::Reject, kGeneration)},
      {PacketClass::New, 83, encode_verdict(VerdictKind::Limit, kGeneration, 1)},
      {PacketClass::New, 84, encode_verdict(VerdictKind::Limit, kGeneration, 2)},
  };
  for (const auto& line : lines) {
    Queued packet(42, line.packet_class, tcp(line.port));
    packet.packet.priority |= 0x123;
    const auto verdict = bench.verdict(std::move(packet));
    INFO("port " << line.port);
    CHECK(verdict.id == 42);
    CHECK(verdict.accept);
    CHECK(verdict.priority == (line.verdict | 0x123));
  }
}

TEST_CASE("a denied new connection is dropped at the queue") {
  Bench bench(every_action());
  CHECK_FALSE(bench.verdict({1, PacketClass::New, tcp(81)}).accept);
  CHECK_FALSE(bench.verdict({2, PacketClass::New, tcp(9)}).accept);
  CHECK_FALSE(bench.verdict({3, PacketClass::New, {}}).accept);
}

TEST_CASE("connections that come in are counted by service and by what became of them") {
  const auto policy = every_action();
  const auto services =
      rules::make_service_map(policy.rules, rules::parse_services("http 80/tcp\n"), 9);
  REQUIRE(services.names() == std::vector<std::string>{"other", "http", "81", "82", "83", "84"});
  Bench bench(policy, {}, fwd::Mode::Enforce, services);
  const auto count = [&](std::size_t place, Action action) {
    return bench.worker->counters().connections[place][static_cast<std::size_t>(action)].value();
  };
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{80, 80, 81, 82, 83, 9})
    bench.verdict({1, PacketClass::New, tcp(port)});
  CHECK(count(1, Action::Allow) == 2);
  CHECK(count(2, Action::Deny) == 1);
  CHECK(count(3, Action::Reject) == 1);
  CHECK(count(4, Action::Limit) == 1);
  CHECK(count(0, Action::Deny) == 1);

  // Not what goes out, what is judged again, or what isn't understood.
  bench.verdict({1, PacketClass::New, tcp(80), Direction::Out});
  bench.verdict({1, PacketClass::Again, tcp(80)});
  bench.verdict({1, PacketClass::Related, tcp(80)});
  bench.verdict({1, PacketClass::New, {}});
  std::uint64_t all = 0;
  for (const auto& actions : bench.worker->counters().connections)
    for (const auto& counter : actions) all += counter.value();
  CHECK(all == 6);
}

TEST_CASE("observe mode approves what would be refused, with a record and a count of its own") {
  Bench bench(every_action(), {}, fwd::Mode::Observe);
  const auto approve = encode_verdict(VerdictKind::Approve, kGeneration);
  const auto pass = encode_verdict(VerdictKind::Pass, kGeneration);
  CHECK(bench.verdict({1, PacketClass::New, tcp(81)}).priority == approve);
  CHECK(bench.verdict({2, PacketClass::New, tcp(82)}).priority == approve);
  CHECK(bench.verdict({3, PacketClass::Again, tcp(9)}).priority == approve);
  const auto undecodable = bench.verdict({4, PacketClass::New, {}});
  CHECK(undecodable.accept);
  CHECK(undecodable.priority == pass);
  REQUIRE(bench.sink.records.size() == 4);
  CHECK(bench.sink.records[1].judgement.outcome == Outcome::Reject);
  fwd::engine::PacketTotals totals;
  totals.add(bench.worker->counters());
  CHECK(totals.packets.at(Direction::In, Action::Allow, Reason::Observe) == 4);
  CHECK(totals.packet_count() == 4);
}

TEST_CASE("a packet without a class is judged as untracked") {
  Bench bench(every_action());
  for (const std::uint32_t kind : {0U, 7U, 8U, 15U}) {
    Queued packet(1, PacketClass::New, tcp(80));
    packet.packet.priority = kind << 28U;
    CHECK(bench.verdict(std::move(packet)).priority ==
          encode_verdict(VerdictKind::Pass, kGeneration));
  }
}

TEST_CASE("a batch is answered by one send, in order") {
  Bench bench(every_action());
  std::vector<Queued> batch;
  for (std::uint32_t id = 0; id < fwd::kernel::kBatchPackets; ++id) {
    batch.emplace_back(id, PacketClass::New, tcp(id % 2 == 0 ? 80 : 81));
  }
  bench.source->play(std::move(batch));
  REQUIRE(bench.worker->step());
  CHECK(bench.source->sends() == 1);
  REQUIRE(bench.source->verdicts().size() == fwd::kernel::kBatchPackets);
  for (std::uint32_t id = 0; id < fwd::kernel::kBatchPackets; ++id) {
    CHECK(bench.source->verdicts()[id].id == id);
    CHECK(bench.source->verdicts()[id].accept == (id % 2 == 0));
  }
}

TEST_CASE("each decision on a new connection makes a record, others only where something is cut") {
  auto policy = every_action();
  rules::Rule silent = tcp_rule(Action::Deny, 85);
  silent.log = rules::Log::None;
  policy.rules.push_back(silent);
  Bench bench(std::move(policy));
  const auto records = [&](PacketClass packet_class, ByteVector bytes) {
    return bench.records_for({1, packet_class, std::move(bytes)});
  };
  for (const auto packet_class : {PacketClass::New, PacketClass::Related, PacketClass::Untracked}) {
    CHECK(records(packet_class, tcp(80)) == 1);
    CHECK(records(packet_class, tcp(81)) == 1);
    CHECK(records(packet_class, tcp(82)) == 1);
    CHECK(records(packet_class, tcp(83)) == 0);  // chain B tells
    CHECK(records(packet_class, tcp(85)) == 0);  // log none
    CHECK(records(packet_class, tcp(9)) == 1);   // the default
  }
  CHECK(records(PacketClass::Again, tcp(80)) == 0);
  CHECK(records(PacketClass::Again, tcp(81)) == 1);
  CHECK(records(PacketClass::Again, tcp(82)) == 1);
  CHECK(records(PacketClass::Again, tcp(83)) == 0);
  CHECK(records(PacketClass::Again, tcp(85)) == 0);
  CHECK(records(PacketClass::Related, bytes(IPv4{} / Icmp{.type = 3})) == 0);
  CHECK(records(PacketClass::Invalid, tcp(80)) == 1);
  CHECK(records(PacketClass::Again, {}) == 1);  // undecodable
}

TEST_CASE(
    "of a rule that is logged by sample, accepted connections are pushed as counted or chosen") {
  auto policy = every_action();
  rules::Rule sampled = tcp_rule(Action::Allow, 86);
  sampled.log = rules::Log::sample(4);
  policy.rules.push_back(sampled);
  Bench bench(std::move(policy));
  constexpr std::uint32_t kConnections = 2000;
  for (std::uint32_t id = 0; id < kConnections; ++id) {
    const auto source = static_cast<std::uint16_t>(1024 + id);
    const Tcp header{.sport = source, .dport = 86, .flags = 0x02};
    bench.verdict({id, PacketClass::New, bytes(IPv4{} / header)});
  }
  REQUIRE(bench.sink.records.size() == kConnections);
  const auto out = static_cast<std::uint32_t>(
      std::ranges::count(bench.sink.records, true, &fwd::audit::VerdictRecord::sampled_out));
  CHECK(out > kConnections * 7 / 10);
  CHECK(out < kConnections * 8 / 10);

  bench.sink.records.clear();
  for (const auto port : std::to_array<std::uint16_t>({80, 81, 82, 9}))
    bench.verdict({1, PacketClass::New, tcp(port)});
  bench.verdict({1, PacketClass::New, {}});
  REQUIRE(bench.sink.records.size() == 5);
  for (const auto& record : bench.sink.records) CHECK_FALSE(record.sampled_out);
}

TEST_CASE("a record says what was decided, by which policy, on which queue") {
  Bench bench(every_action());
  Queued packet(1, PacketClass::New, tcp(82));
  packet.packet.interface_index = 9;
  bench.verdict(std::move(packet));
  REQUIRE(bench.sink.records.size() == 1);
  const auto& record = bench.sink.records.front();
  CHECK(record.policy_version == 7);
  CHECK(record.queue == 3);
  CHECK(record.interface_index == 9);
  CHECK(record.packet_class == PacketClass::New);
  CHECK(record.decided_by == fwd::audit::DecidedBy::Daemon);
  CHECK(record.judgement.outcome == Outcome::Reject);
  CHECK(record.judgement.decision.index == 2);
  CHECK(record.judgement.packet.destination_port == 82);
  CHECK(record.realtime_ns > 1'700'000'000'000'000'000);
}

TEST_CASE("packets are counted by hook, action, reason and rule, and in the time histogram") {
  Bench bench(every_action());
  bench.source->play({{1, PacketClass::New, tcp(80)},
                      {2, PacketClass::New, tcp(80)},
                      {3, PacketClass::New, tcp(9)},
                      {4, PacketClass::Again, tcp(82)},
                      {5, PacketClass::New, tcp(9), Direction::Out}});
  REQUIRE(bench.worker->step());
  fwd::engine::PacketTotals totals;
  totals.add(bench.worker->counters());
  CHECK(totals.packets.at(Direction::In, Action::Allow, Reason::Rule) == 2);
  CHECK(totals.packets.at(Direction::In, Action::Deny, Reason::Default) == 1);
  CHECK(totals.packets.at(Direction::In, Action::Reject, Reason::Revoked) == 1);
  CHECK(totals.packets.at(Direction::Out, Action::Allow, Reason::Default) == 1);
  CHECK(totals.packet_count() == 5);
  CHECK(totals.batches == 1);
  std::uint64_t timed = 0;
  for (const auto bucket : totals.verdict_times) timed += bucket;
  CHECK(timed == 5);

  const auto policy = bench.board.take()->policy;
  const rules::Decision first_rule{
      .action = Action::Allow, .by = rules::DecidedBy::Rule, .index = 0};
  CHECK(policy->counters[0]->value(first_rule, Direction::In) == 2);
  CHECK(policy->counters[0]->value({}, Direction::In) == 1);
  CHECK(policy->counters[0]->value({}, Direction::Out) == 1);
}

TEST_CASE(
    "the packets of a batch are judged each by itself, also where nothing is asked of the rules") {
  Bench bench(every_action());
  bench.source->play({{1, PacketClass::New, tcp(80)},
                      {2, PacketClass::New, {}},
                      {3, PacketClass::Invalid, tcp(80)},
                      {4, PacketClass::New, tcp(83)},
                      {5, PacketClass::New, tcp(81)},
                      {6, PacketClass::New, tcp(80)}});
  REQUIRE(bench.worker->step());
  std::vector<bool> accepted;
  for (const auto& verdict : bench.source->verdicts()) accepted.push_back(verdict.accept);
  CHECK(accepted == std::vector{true, false, false, true, false, true});
  std::vector<Reason> reasons;  // a limit is told by the kernel
  for (const auto& record : bench.sink.records) reasons.push_back(record.judgement.reason);
  CHECK(reasons ==
        std::vector{Reason::Rule, Reason::Invalid, Reason::Invalid, Reason::Rule, Reason::Rule});
}

TEST_CASE("a batch without records leaves the sink alone") {
  Bench bench(every_action());
  CHECK(bench.records_for({1, PacketClass::Again, tcp(80)}) == 0);
  CHECK(bench.sink.pushes == 0);
  CHECK(bench.records_for({2, PacketClass::New, tcp(80)}) == 1);
  CHECK(bench.sink.pushes == 1);
}

TEST_CASE("records that the sink has no room for are counted") {
  Bench bench(every_action());
  bench.sink.room = 1;
  bench.source->play({{1, PacketClass::New, tcp(80)}, {2, PacketClass::New, tcp(80)}});
  REQUIRE(bench.worker->step());
  CHECK(bench.worker->counters().records_lost.value() == 1);
  CHECK(bench.source->verdicts().size() == 2);
}

TEST_CASE("where the sink wants it, who can't be recorded isn't let in") {
  Bench bench(every_action());
  bench.sink.room = 1;
  bench.sink.lenient = false;
  bench.source->play({{1, PacketClass::New, tcp(80)}, {2, PacketClass::New, tcp(80)}});
  REQUIRE(bench.worker->step());
  REQUIRE(bench.source->verdicts().size() == 2);
  CHECK(bench.source->verdicts()[0].accept);
  CHECK_FALSE(bench.source->verdicts()[1].accept);
}

TEST_CASE("a rule for an interface applies to it by the published names") {
  auto rule = tcp_rule(Action::Allow, 80);
  rule.match.interface = "wan0";
  Bench bench(policy_of({rule}), {{7, "wan0"}, {8, "lan0"}});
  const auto accepts = [&](std::uint32_t index) {
    Queued packet(1, PacketClass::New, tcp(80));
    packet.packet.interface_index = index;
    return bench.verdict(std::move(packet)).accept;
  };
  CHECK(accepts(7));
  CHECK_FALSE(accepts(8));
  CHECK_FALSE(accepts(0));
}

TEST_CASE("an interface that wasn't published yet is asked of the kernel") {
  const unsigned loopback = if_nametoindex("lo");
  REQUIRE(loopback != 0);
  auto rule = tcp_rule(Action::Allow, 80);
  rule.match.interface = "lo";
  Bench bench(policy_of({rule}));
  for (int time = 0; time < 2; ++time) {
    Queued packet(1, PacketClass::New, tcp(80));
    packet.packet.interface_index = loopback;
    CHECK(bench.verdict(std::move(packet)).accept);
  }
  // More unknown interfaces than the cache holds change nothing.
  for (std::uint32_t index = 1'000'000; index < 1'000'040; ++index) {
    Queued packet(1, PacketClass::New, tcp(80));
    packet.packet.interface_index = index;
    CHECK_FALSE(bench.verdict(std::move(packet)).accept);
  }
}

TEST_CASE("the batch after a publication is judged by the new policy") {
  Bench bench(every_action());
  CHECK(bench.verdict({1, PacketClass::New, tcp(80)}).accept);
  bench.board.post(snapshot(active(policy_of({}), 8, 6), 2));
  CHECK_FALSE(bench.verdict({2, PacketClass::New, tcp(80)}).accept);
  CHECK(bench.worker->snapshot_in_use() == 2);
}

TEST_CASE("an idle worker's heart beats and takes the new policy") {
  Bench bench(every_action());
  CHECK(bench.worker->heartbeat().count() == 0);
  REQUIRE(bench.worker->step());
  CHECK(bench.worker->heartbeat().count() > 0);
  CHECK(bench.worker->snapshot_in_use() == 1);
  CHECK(bench.source->sends() == 0);
}

TEST_CASE("a worker whose source fails stops, says why and lets go of its policy") {
  Bench bench(every_action());
  bench.source->fail_at_the_end(EBADF);
  bench.worker->run();
  CHECK(bench.worker->failure() == EBADF);
  CHECK(bench.worker->snapshot_in_use() > 1'000'000);
}
