// The worker's path allocates nothing per packet, whatever the packet is and whatever is decided.
#include <memory>

#include <catch2/catch.hpp>

#include "fwd/engine/worker.h"
#include "tests/fwd/engine/fixtures.h"
#include "tests/support/allocations.h"

using fwd::kernel::PacketClass;
using rules::Action;
using rules::Direction;

namespace {

using namespace tests;

class CountingSink final : public fwd::engine::RecordSink {
 public:
  std::size_t push(unsigned, std::span<const fwd::audit::VerdictRecord> some) noexcept override {
    records += some.size();
    return records < 100 ? some.size() : 0;
  }
  std::uint64_t records = 0;
};

std::vector<Queued> one_of_each() {
  std::vector<Queued> batch;
  const auto add = [&](PacketClass packet_class, const ByteVector& packet, Direction hook) {
    batch.emplace_back(static_cast<std::uint32_t>(batch.size()), packet_class, packet, hook);
    batch.back().packet.interface_index = 1'000'000 + static_cast<std::uint32_t>(batch.size() % 20);
  };
  for (const auto packet_class :
       {PacketClass::New, PacketClass::Again, PacketClass::AgainReply, PacketClass::Related,
        PacketClass::Untracked, PacketClass::Invalid}) {
    for (const int port : {80, 81, 82, 83, 9}) {
      add(packet_class, bytes(IPv4{} / Tcp{.dport = static_cast<std::uint16_t>(port)}),
          Direction::In);
    }
    add(packet_class, bytes(IPv6{} / HopByHop{} / Udp{}), Direction::Out);
    add(packet_class, bytes(IPv4{} / Icmp{.type = 3}), Direction::In);
    add(packet_class, ByteVector(7), Direction::In);
  }
  return batch;
}

}  // namespace

TEST_CASE("the allocation count sees an allocation") {
  const auto before = support::allocations();
  const auto memory = std::make_unique<int>(1);
  CHECK(support::allocations() == before + 1);
}

TEST_CASE("a worker allocates nothing per packet") {
  fwd::engine::SnapshotBoard board;
  board.post(
      snapshot(active(policy_of({tcp_rule(Action::Allow, 80), tcp_rule(Action::Deny, 81),
                                 tcp_rule(Action::Reject, 82), tcp_rule(Action::Limit, 83)})),
               1, {{1'000'001, "wan0"}}));
  CountingSink sink;
  fwd::engine::Worker worker(0, std::make_unique<EndlessSource>(one_of_each()), board, sink, 5);
  REQUIRE(worker.step());  // takes the policy and looks up the interfaces

  const auto before = support::allocations();
  for (int batch = 0; batch < 1000; ++batch) {
    if (!worker.step()) break;
  }
  const auto allocated = support::allocations() - before;
  CHECK(allocated == 0);
  CHECK(worker.counters().batches.value() == 1001);
  CHECK(sink.records > 1000);
  CHECK_FALSE(worker.take_heavy_sources().empty());
}
